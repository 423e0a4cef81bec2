// Makes the file of the sample site that is not in the repository: large.bin, 8 MiB, always the
// same. usage: node build/examples/make-site.js [directory]

import { renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LARGE_BYTES = 8 * 1024 * 1024;
const SEED = 0x71b1_96e5;

const directory = process.argv[2] ?? join('examples', 'site');
const path = join(directory, 'large.bin');
if (statSync(path, { throwIfNoEntry: false })?.size !== LARGE_BYTES) {
  // Written under a temporary name and renamed, so that a server never sends a part of it.
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, noise(LARGE_BYTES, SEED));
  renameSync(temporary, path);
  console.log(`made ${path} (${LARGE_BYTES} bytes, seed 0x${SEED.toString(16)})`);
}

/** Marsaglia's xorshift32: not secure, but the same on every machine. */
function noise(byteCount: number, seed: number): Buffer {
  const out = Buffer.allocUnsafe(byteCount);
  let state = seed;
  for (let at = 0; at < byteCount; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    out.writeInt32LE(state, at);
  }
  return out;
}
