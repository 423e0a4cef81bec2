// The error of a listen() or reload() that close() ended.

export class ClosedError extends Error {
  override readonly name = 'ClosedError';
  readonly code = 'ECANCELED';

  constructor() {
    super('the server is closing');
  }
}
