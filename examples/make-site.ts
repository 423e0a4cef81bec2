// Makes what the sample site does not keep in the repository: large.bin, the same 8 MiB everywhere.
// usage: node build/examples/make-site.js [directory]

import { renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const LARGE_BYTES = 8 * 1024 * 1024;
const SEED = 0x71b1_96e5;

const directory = process.argv[2] ?? join('examples', 'site');
const path = join(directory, 'large.bin');
if (statSync(path, { throwIfNoEntry: false })?.size !== LARGE_BYTES) {
  // Written beside and renamed, so that a server never shows half of it.
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, noise(LARGE_BYTES, SEED));
  renameSync(beside, path);
  console.log(`made ${path} (${LARGE_BYTES} bytes, seed 0x${SEED.toString(16)})`);
}

/** Marsaglia's xorshift32: not for secrets, only the same on every machine. */
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
