// Sends the bytes of an open file in bounded memory: a chunk is read while the one before is sent.

import type { Exchange } from './exchange.ts';
import { requestLine } from './request-line.ts';

/** Bytes of a read. Two such buffers serve one file, and return to a pool. */
const READ_BYTES = 128 * 1024;
const FREE_BUFFERS_MAX = 32;
const freeBuffers: Uint8Array[] = [];

/** Sends the bytes of `file` from `from` to `to`. The response is truncated when one is missing. */
export async function copyFile(
  exchange: Exchange,
  file: number,
  from: number,
  to: number,
): Promise<void> {
  const { services, transport } = exchange;
  const buffers = [acquireBuffer(), acquireBuffer()];
  let turn = 0;
  let position = from;
  let sent: Promise<void> = Promise.resolve();
  try {
    while (position < to && !exchange.gone) {
      const buffer = buffers[turn];
      const wanted = Math.min(READ_BYTES, to - position);
      const count = await services.asyncIo.read(file, buffer.subarray(0, wanted), position);
      await sent;
      if (exchange.gone) return;
      // The file shrank or cannot be read: the client sees an incomplete response.
      if (count <= 0) {
        const missing = `the file ended ${to - position} bytes before its Content-Length`;
        const what = count < 0 ? `the file cannot be read: errno ${-count}` : missing;
        services.logError(`${requestLine(exchange)}: the response was truncated: ${what}`);
        transport.abandon(exchange);
        return;
      }
      sent = transport.write(exchange, buffer.subarray(0, count), true);
      position += count;
      turn = 1 - turn;
    }
    await sent;
  } finally {
    // After a reset the kernel may still read from the buffers until the socket is closed.
    if (!exchange.gone) for (const buffer of buffers) releaseBuffer(buffer);
  }
}

function acquireBuffer(): Uint8Array {
  return freeBuffers.pop() ?? new Uint8Array(READ_BYTES);
}

function releaseBuffer(buffer: Uint8Array): void {
  if (freeBuffers.length < FREE_BUFFERS_MAX) freeBuffers.push(buffer);
}
