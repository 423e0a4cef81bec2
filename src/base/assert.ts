// Asserts for our own mistakes. Bytes from a peer, kernel results, files and options never assert.

/**
 * Throws when `condition` is false: a bug of ours, never of the peer's. `message` is constant text.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFault(message);
}

/** Marks a branch that cannot be reached; the type checker proves it where it can. */
export function unreachable(value: never): never {
  throw new AssertionFault(`unreachable: ${String(value)}`);
}

/** What assert() throws; never caught except by the process. */
export class AssertionFault extends Error {
  override readonly name = 'AssertionFault';
}
