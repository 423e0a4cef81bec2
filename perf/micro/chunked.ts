// Measures ChunkedDecoder on bodies of large and of small chunks, for one chunk.

import { do_not_optimize as keep } from 'mitata';
import { ChunkEvent, ChunkedDecoder } from '../../src/http/chunked.ts';
import type { BenchCase } from '../bench/case.ts';

const LIMITS = { chunkExtensionBytesMax: 4_096, trailerBytesMax: 8_192, fieldsMax: 100 };

const BODIES: readonly (readonly [chunkBytes: number, chunkCount: number])[] = [
  [16, 1_000],
  [1_024, 64],
  [16_384, 4],
];

export function chunkedCases(): readonly BenchCase[] {
  const decoder = new ChunkedDecoder();
  return BODIES.map(([chunkBytes, chunkCount]) => {
    const bytes = bodyOf(chunkBytes, chunkCount);
    if (decode(decoder, bytes) !== chunkBytes * chunkCount)
      throw new Error('the body was not decoded to its end');
    return {
      name: `a chunk of ${chunkBytes} bytes`,
      // The last chunk, which is empty, counts too.
      operations: chunkCount + 1,
      run: () => keep(decode(decoder, bytes)),
    };
  });
}

function bodyOf(chunkBytes: number, chunkCount: number): Uint8Array {
  const chunk = `${chunkBytes.toString(16)}\r\n${'x'.repeat(chunkBytes)}\r\n`;
  return Buffer.from(`${chunk.repeat(chunkCount)}0\r\n\r\n`, 'latin1');
}

/** Returns the length of the decoded body. */
function decode(decoder: ChunkedDecoder, bytes: Uint8Array): number {
  decoder.reset();
  let event: number;
  let position = 0;
  let held = 0;
  do {
    event = decoder.next(bytes, position, bytes.length, LIMITS);
    position = decoder.position;
    if (event === ChunkEvent.Data) held += decoder.dataEnd - decoder.dataStart;
  } while (event === ChunkEvent.Data);
  return event === ChunkEvent.Done ? held : -1;
}
