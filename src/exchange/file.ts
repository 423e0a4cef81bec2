// Files as responses: their fields, whether the client's copy is fresh, and their bytes, read in
// chunks in bounded memory while the chunk before is being sent.

import { FileKind, type FileStat, isFault, type OpenFile } from '../async-io/async-io.ts';
import { ERRNO } from '../base/errno.ts';
import { isFresh } from '../http/conditional.ts';
import { formatDate } from '../http/date.ts';
import { Method } from '../http/method.ts';
import type { Exchange } from './exchange.ts';
import { fieldValue } from './field-value.ts';
import { HttpError } from './http-error.ts';
import { mediaType } from './media-type.ts';
import { requestLine } from './request-line.ts';
import { endIfHeadOnly, respondFull, startStream } from './respond.ts';
import { Phase, Writer } from './state.ts';

export interface FileOptions {
  /** Instead of the type that follows from the name. */
  readonly type?: string;
}

/** Bytes of a read. Two such buffers serve one file, and return to a pool. */
const READ_BYTES = 128 * 1024;
const FREE_BUFFERS_MAX = 32;
const freeBuffers: Uint8Array[] = [];

const { EACCES, EPERM } = ERRNO;

/** Responds with a file; rejects with HttpError 404 or 403 where it cannot be read. */
export async function sendFile(
  exchange: Exchange,
  path: string,
  options: FileOptions,
): Promise<void> {
  const { asyncIo } = exchange.services;
  const opened = await asyncIo.open(path);
  if (isFault(opened)) {
    throw new HttpError(opened === -EACCES || opened === -EPERM ? 403 : 404);
  }
  try {
    if (opened.stat.kind !== FileKind.File) {
      throw new HttpError(404);
    }
    await sendOpenFile(exchange, opened, options.type ?? mediaType(path));
  } finally {
    await asyncIo.close(opened.file);
  }
}

/** A strong entity tag (RFC 9110 8.8.3), made of the file's size, modification time and inode. */
export function etagOf(stat: FileStat): string {
  const time = Math.round(stat.modifiedMs * 1000).toString(16);
  return `"${stat.bytes.toString(16)}-${time}-${stat.inode.toString(16)}"`;
}

/** Sets the fields that describe a file, except those that the handler has set. */
export function describeFile(exchange: Exchange, stat: FileStat, etag: string, type: string): void {
  const { fields } = exchange;
  if (fields.find('content-type') < 0) fields.set('Content-Type', 'content-type', type);
  if (fields.find('last-modified') < 0) {
    // A time in the future is not allowed (RFC 9110 8.8.2.1).
    const modifiedMs = Math.min(stat.modifiedMs, exchange.services.wallMs());
    fields.set('Last-Modified', 'last-modified', formatDate(modifiedMs));
  }
  if (fields.find('etag') < 0) fields.set('ETag', 'etag', etag);
}

/** True when 304 (Not Modified) is the right response: the client's copy is fresh. */
export function isNotModified(exchange: Exchange, stat: FileStat, etag: string): boolean {
  const { head } = exchange;
  if (head.method !== Method.GET && head.method !== Method.HEAD) return false;
  if (exchange.status !== 200) return false;
  const match = fieldValue(exchange, 'if-none-match');
  const since = fieldValue(exchange, 'if-modified-since');
  if (match === undefined && since === undefined) return false;
  return isFresh(match, since, etag, stat.modifiedMs, exchange.services.wallMs());
}

/** Responds with 304: without the fields that describe content. */
export function sendNotModified(exchange: Exchange): void {
  exchange.fields.remove('content-type');
  exchange.status = 304;
  respondFull(exchange, null, 'file()');
}

/** Responds with an open file, which the caller closes. */
export async function sendOpenFile(
  exchange: Exchange,
  opened: OpenFile,
  type: string,
): Promise<void> {
  if (exchange.phase !== Phase.Open || exchange.gone) {
    exchange.services.countLateCall(false);
    return;
  }
  exchange.claimWriter(Writer.File);
  const { stat } = opened;
  const etag = etagOf(stat);
  describeFile(exchange, stat, etag, type);
  if (isNotModified(exchange, stat, etag)) {
    sendNotModified(exchange);
    return;
  }
  exchange.owedBytes = stat.bytes;
  if (!startStream(exchange, 'file()') || endIfHeadOnly(exchange)) return;
  await copyFile(exchange, opened);
  if (!exchange.gone) exchange.transport.endStream(exchange);
}

/** Sends a file with two buffers: one is read into while the other is sent. */
async function copyFile(exchange: Exchange, opened: OpenFile): Promise<void> {
  const { services, transport } = exchange;
  const buffers = [acquireBuffer(), acquireBuffer()];
  let turn = 0;
  let position = 0;
  let sent: Promise<void> = Promise.resolve();
  try {
    while (position < opened.stat.bytes && !exchange.gone) {
      const buffer = buffers[turn];
      const wanted = Math.min(READ_BYTES, opened.stat.bytes - position);
      const count = await services.asyncIo.read(opened.file, buffer.subarray(0, wanted), position);
      await sent;
      if (exchange.gone) return;
      // The file shrank or cannot be read: the client sees an incomplete response.
      if (count <= 0) {
        const missing = opened.stat.bytes - position;
        const ended = `the file ended ${missing} bytes before its Content-Length`;
        const what = count < 0 ? `the file cannot be read: errno ${-count}` : ended;
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
