// Shrinks an input while a condition holds: removes ever smaller parts, in a bounded number of
// tries.

export type Holds = (candidate: Uint8Array) => Promise<boolean>;

/** The smallest input found with at most `triesMax` tries; the first `front` bytes stay. */
export async function shrink(
  input: Uint8Array,
  front: number,
  triesMax: number,
  holds: Holds,
): Promise<Uint8Array> {
  let best = input;
  let tries = 0;
  let size = Math.max(1, (best.length - front) >> 1);
  for (;;) {
    let removed = false;
    // From the end, where unread bytes are.
    for (let at = best.length - size; at >= front; at -= size) {
      if (tries === triesMax) return best;
      tries += 1;
      const candidate = without(best, at, size);
      if (!(await holds(candidate))) continue;
      best = candidate;
      removed = true;
    }
    if (size === 1 && !removed) return best;
    if (!removed || size > best.length - front) size = Math.max(1, size >> 1);
  }
}

function without(bytes: Uint8Array, at: number, count: number): Uint8Array {
  const left = new Uint8Array(bytes.length - count);
  left.set(bytes.subarray(0, at));
  left.set(bytes.subarray(at + count), at);
  return left;
}

/** Whether two errors come from the same place. Their messages may contain parts of the input. */
export function sameFailure(one: Error, other: Error): boolean {
  return one.name === other.name && placeOf(one) === placeOf(other);
}

/** The innermost two frames that are not Node's own. */
function placeOf(error: Error): string {
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return frames
    .filter((line) => !line.includes('node:'))
    .slice(0, 2)
    .join('\n');
}
