// Reads the bytes of a queued file that the system does not have in memory, and sends them from
// memory. What it has is sent by the driver.

import { close, reset } from './close.ts';
import { noteClose } from './close-reason.ts';
import type { ConnectionParts } from './parts.ts';
import type { Span } from './span.ts';

/** Bytes of a read: the kernel reads ahead, so the bytes behind it may be in memory then. */
const READ_BYTES: number = 128 * 1024;

/** Null: the file has a writer that reads it. */
export function readIfNeeded(connection: ConnectionParts, span: Span | null): void {
  if (span !== null) void read(connection, span);
}

async function read(connection: ConnectionParts, { region, start, end }: Span): Promise<void> {
  const { context, sendQueue } = connection;
  const file = region?.owner?.file;
  if (region === null || file === undefined) return;
  const bytes = new Uint8Array(Math.min(READ_BYTES, end - start));
  const count = await context.services.asyncIo.read(file, bytes, start);
  // The connection has broken; its record may have another socket.
  if (!sendQueue.isReading(region)) return;
  if (count > 0) {
    sendQueue.read(context.writer.map(bytes.subarray(0, count)));
    connection.settle();
    return;
  }
  const why = count < 0 ? `it cannot be read: errno ${-count}` : `it ended at byte ${start}`;
  const { address, port } = connection.peer();
  context.services.logError(`${address}:${port} a file was truncated: ${why}`);
  cut(connection);
}

/** The rest of the response is missing: the client sees by its Content-Length that it is. */
function cut(connection: ConnectionParts): void {
  connection.context.counters.resets += 1;
  noteClose(connection, 'aborted');
  connection.sendQueue.drop();
  if (connection.exchange !== null) reset(connection);
  // One that closes already goes on with that, since nothing is left to send.
  else if (connection.state.isClosing) connection.settle();
  else close(connection);
}
