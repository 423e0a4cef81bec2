// Errors of handlers in words. Anything can be thrown, also what cannot be turned into text.

/** The stack of an error, or the value as text; never throws. */
export function describe(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack ?? error.message) : String(error);
  } catch {
    return 'an error that cannot be shown';
  }
}
