// An error of the service environment (pid file, activation) before the server listens, in one
// line.

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}
