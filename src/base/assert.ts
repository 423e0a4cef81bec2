// Hot: runs for every request. Measured by perf/micro/connection.ts.
// Assertions against our own bugs. Input from a peer, kernel results, files and options never
// assert.

/**
 * Throws when `condition` is false, which is a bug of this package. `message` says what should
 * hold.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionFault(message);
}

/** Marks a branch that cannot be reached; the type checker proves it where it can. */
export function unreachable(value: never): never {
  throw new AssertionFault(`unreachable: ${String(value)}`);
}

/** The error of assert(). Nothing catches it: it ends the process. */
export class AssertionFault extends Error {
  override readonly name = 'AssertionFault';
}
