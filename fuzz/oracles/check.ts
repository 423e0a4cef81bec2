// Assertions of the oracles; the message is made only for a failure.

export class OracleFault extends Error {
  override readonly name = 'OracleFault';
}

export function check(holds: boolean, says: string): void {
  if (!holds) throw new OracleFault(says);
}

export function same(actual: unknown, expected: unknown, says: string): void {
  if (actual === expected) return;
  throw new OracleFault(`${says}: ${shown(actual)}, not ${shown(expected)}`);
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

/** A hash of the bytes, for choices. */
export function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < bytes.length; index++) {
    hash = Math.imul(hash ^ bytes[index], 0x01000193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}
