// Sends the bytes of an open file in bounded memory. The kernel sends what it has in memory by
// itself where the driver can do that; otherwise a chunk is read while the one before is sent.

import type { Exchange } from './exchange.ts';
import { requestLine } from './request-line.ts';

/** Bytes of a read. Two such buffers serve one file, and return to a pool. */
const READ_BYTES = 128 * 1024;
const FREE_BUFFERS_MAX = 32;
const freeBuffers: Uint8Array[] = [];

/** The most that is handed to the kernel at once: it is still sent after a handler has failed. */
const SPAN_BYTES: number = 1024 * 1024;

/** Sends the bytes of `file` from `from` to `to`. The response is truncated when one is missing. */
export async function copyFile(
  exchange: Exchange,
  file: number,
  from: number,
  to: number,
): Promise<void> {
  let position = from;
  while (position < to && !exchange.gone) {
    const spanTo = Math.min(position + SPAN_BYTES, to);
    const sending = exchange.transport.writeFile(exchange, file, position, spanTo);
    if (sending === null) return copyByReading(exchange, file, position, to);
    position += await sending;
    if (position === spanTo || exchange.gone) continue;
    // The kernel reads ahead of a read: the bytes behind it may be in memory then.
    const readTo = Math.min(position + READ_BYTES, to);
    await copyByReading(exchange, file, position, readTo);
    position = readTo;
  }
}

/** Sends with two buffers: one is read into while the other is sent. */
async function copyByReading(
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
        const owedBytes = Math.max(exchange.owedBytes, to - position);
        const missing = `the file ended ${owedBytes} bytes before its Content-Length`;
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
