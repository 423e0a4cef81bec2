// Names of properties that come from longer texts.

/**
 * The same text as V8 keeps names of properties. A part of a longer string is none: V8 would look
 * it up at each use as a key, and not optimize the function that does so.
 */
export function asKey(text: string): string {
  return Object.keys({ [text]: 0 })[0] as string;
}
