// What keeps a service from starting before it listens, in one line for whoever started it.

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}
