// Measures ChunkedDecoder on a body of large chunks and on one of small ones, per body and per
// chunk.

import { ChunkEvent, ChunkedDecoder } from '../../src/http/chunked.ts';

const ROUNDS = 150;
/** Short, so that some rounds fall between what else the machine does. */
const ROUND_MS = 5;
const WARM_UP_ROUNDS = 50;
const LIMITS = { chunkExtensionBytesMax: 4_096, trailerBytesMax: 8_192, fieldsMax: 100 };

const decoder = new ChunkedDecoder();
let sink = 0;

function bodyOf(chunkBytes: number, chunkCount: number): Uint8Array {
  const chunk = `${chunkBytes.toString(16)}\r\n${'x'.repeat(chunkBytes)}\r\n`;
  return Buffer.from(`${chunk.repeat(chunkCount)}0\r\n\r\n`, 'latin1');
}

function decode(bytes: Uint8Array): void {
  decoder.reset();
  let event: number;
  let position = 0;
  do {
    event = decoder.next(bytes, position, bytes.length, LIMITS);
    position = decoder.position;
    if (event === ChunkEvent.Data) sink += decoder.dataEnd - decoder.dataStart;
  } while (event === ChunkEvent.Data);
  if (event !== ChunkEvent.Done) throw new Error('the body is whole');
}

/** Nanoseconds for one body, the best of many short rounds; the first warm up. */
function measure(bytes: Uint8Array): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS + WARM_UP_ROUNDS; round++) {
    let calls = 0;
    let nanoseconds = 0;
    const begin = process.hrtime.bigint();
    while (nanoseconds < ROUND_MS * 1_000_000) {
      for (let call = 0; call < 10; call++) decode(bytes);
      calls += 10;
      nanoseconds = Number(process.hrtime.bigint() - begin);
    }
    if (round >= WARM_UP_ROUNDS) best = Math.min(best, nanoseconds / calls);
  }
  return best;
}

for (const [chunkBytes, chunkCount] of [
  [16, 1_000],
  [1_024, 64],
  [16_384, 4],
]) {
  const bytes = bodyOf(chunkBytes, chunkCount);
  const ns = measure(bytes);
  const perChunk = (ns / (chunkCount + 1)).toFixed(1).padStart(7);
  const rate = (bytes.length / ns).toFixed(2).padStart(8);
  console.log(`chunks of ${String(chunkBytes).padStart(6)} bytes ${perChunk} ns each ${rate} GB/s`);
}
if (sink === 0) throw new Error('nothing was decoded');
