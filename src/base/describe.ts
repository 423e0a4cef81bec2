// Errors of handlers as text. A handler can throw any value, also one that cannot become a string.

/** Causes of a cause that are shown: an error may be its own cause. */
const CAUSES_MAX = 3;

/**
 * The stack of an error and those of the errors that caused it, or the value as text; never throws.
 */
export function describe(error: unknown, causes: number = CAUSES_MAX): string {
  try {
    if (!(error instanceof Error)) return String(error);
    const { cause, message, stack = message } = error;
    const because = cause instanceof Error && causes > 0;
    return because ? `${stack}\ncaused by: ${describe(cause, causes - 1)}` : String(stack);
  } catch {
    return 'an error that cannot be shown';
  }
}
