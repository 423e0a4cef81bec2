// Errors of handlers as text. A handler can throw any value, also one that cannot become a string.

/** The stack of an error, or the value as text; never throws. */
export function describe(error: unknown): string {
  try {
    return error instanceof Error ? String(error.stack ?? error.message) : String(error);
  } catch {
    return 'an error that cannot be shown';
  }
}
