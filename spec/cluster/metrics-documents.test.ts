// What the thread for metrics does, in this thread: documents in chunks, each made when the one
// before was taken, from memory and from files. With a thread: metrics-composer.test.ts.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import fs, { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  ComposedDocuments,
  type FromComposer,
  type ToComposer,
} from '../../src/cluster/metrics-documents.ts';
import { beginComposing } from '../../src/cluster/metrics-thread.ts';
import type { SegmentSource } from '../../src/metrics/reader.ts';
import { Word } from '../../src/metrics/segment.ts';
import type { CompositionOrder } from '../../src/server/metrics-composer.ts';
import { counted, FACTS, FORMATS, inMemory, simple } from './fixtures/composed.ts';

const SLOT_BYTES = 5_000;

function orderOf(
  segments: readonly SegmentSource[],
  format: CompositionOrder['format'] = 'text',
  isGzip = false,
): CompositionOrder {
  return { format, isGzip, facts: FACTS, seconds: 9, segments };
}

/** Takes each chunk as soon as it is there, but two at most. */
class Taker {
  readonly posted: FromComposer[] = [];
  readonly documents = new ComposedDocuments((message) => void this.posted.push(message));
  readonly slots: readonly SharedArrayBuffer[];
  #last = 0;

  constructor(slotBytes = SLOT_BYTES) {
    this.slots = [new SharedArrayBuffer(slotBytes), new SharedArrayBuffer(slotBytes)];
  }

  begin(order: CompositionOrder): number {
    const id = ++this.#last;
    this.documents.received({ kind: 'begin', id, order, slots: this.slots });
    return id;
  }

  /** All bytes of a document. */
  take(order: CompositionOrder): Buffer {
    const id = this.begin(order);
    const chunks: Uint8Array[] = [];
    let isShort = false;
    for (;;) {
      const message = this.posted.shift();
      assert.ok(message !== undefined && 'bytes' in message, JSON.stringify(message));
      assert.equal(message.id, id);
      if (message.bytes === 0) return Buffer.concat(chunks);
      assert.ok(!isShort, 'only the last one is not full');
      const slot = this.slots[message.slot];
      isShort = message.bytes < slot.byteLength;
      chunks.push(new Uint8Array(slot.slice(0, message.bytes)));
      this.documents.received({ kind: 'more', id, slot: message.slot });
    }
  }
}

describe('a document in chunks', () => {
  it('is what the formats write, compressed or not', () => {
    const segments = [counted(40, 3), counted(20, 5)];
    const taker = new Taker();
    for (const format of FORMATS) {
      const wanted = simple(format, segments);
      assert.ok(wanted.length > 3 * SLOT_BYTES);
      assert.ok(taker.take(orderOf(inMemory(segments), format)).toString() === wanted, format);
      const gzip = taker.take(orderOf(inMemory(segments), format, true));
      assert.ok(gzip.length < wanted.length / 2);
      assert.ok(gunzipSync(gzip).toString() === wanted, format);
      // RFC 1952 2.3: the checksum and the length of the content come last.
      assert.equal(gzip.readUInt32LE(gzip.length - 4), Buffer.byteLength(wanted));
    }
  });

  it('of more than a part of text, has all parts', () => {
    const segments = [counted(420, 3)];
    const wanted = simple('text', segments);
    assert.ok(wanted.length > 1024 * 1024 + 65_536, String(wanted.length));
    const taker = new Taker(1 << 18);
    for (const isGzip of [false, true]) {
      const bytes = taker.take(orderOf(inMemory(segments), 'text', isGzip));
      assert.ok((isGzip ? gunzipSync(bytes) : bytes).toString() === wanted);
      // Each part is flushed: no more than one is held at once.
      const flush = Buffer.of(0, 0, 0xff, 0xff);
      if (isGzip) assert.ok(bytes.indexOf(flush, bytes.indexOf(flush) + 1) > 0);
    }
  });

  it('fills its slots once while it is not read on, and ends when it is cancelled', () => {
    const { documents, posted, slots, ...taker } = bound(new Taker(100));
    const id = taker.begin(orderOf(inMemory([counted(40, 3)])));
    const full = [0, 1].map((slot) => ({ id, slot, bytes: 100 }));
    assert.deepEqual(posted, full);
    documents.received({ kind: 'more', id, slot: 1 });
    assert.deepEqual(posted, [...full, full[1]]);
    const copies = slots.map((slot) => Buffer.from(slot.slice(0)).toString());
    assert.notEqual(copies[0], copies[1]);
    documents.received({ kind: 'more', id: id + 1, slot: 0 });
    documents.received({ kind: 'cancel', id });
    documents.received({ kind: 'more', id, slot: 0 });
    assert.deepEqual(posted.slice(3), [{ id, cancelled: true }]);
  });

  it('that has ended says so for each slot that may be filled, once', () => {
    const { documents, posted, ...taker } = bound(new Taker(1 << 20));
    const id = taker.begin(orderOf(inMemory([counted(1, 3)])));
    assert.deepEqual(
      posted.map((message) => 'bytes' in message && message.bytes > 0),
      [true, false],
    );
    documents.received({ kind: 'more', id, slot: 0 });
    assert.equal(posted.length, 2);
  });

  it('whose memory cannot be read says why, and then nothing', () => {
    const { documents, posted, ...taker } = bound(new Taker());
    const id = taker.begin(orderOf([{ id: 0, histograms: 0, fd: -1, at: 0 }]));
    assert.equal(posted.length, 1);
    const [first] = posted;
    assert.ok('failed' in first && first.id === id);
    assert.match(first.failed, /fd/);
    documents.received({ kind: 'more', id, slot: 0 });
    assert.equal(posted.length, 1);
  });
});

it('segments of files are read up to their end, and those not begun are empty', (context) => {
  const segments = [counted(30, 3), counted(5, 5)];
  const folder = mkdtempSync(join(tmpdir(), 'vibing-'));
  const fd = openSync(join(folder, 'segments'), 'wx+');
  context.after(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  const APART = 1 << 21;
  const sources = segments.map(({ buffer, words, usedBytes }, id) => {
    const at = (id + 1) * APART;
    writeSync(fd, new Uint8Array(buffer, 0, usedBytes), 0, usedBytes, at);
    // Another process writes behind what it has finished.
    writeSync(fd, new Uint8Array(64).fill(0xff), 0, 64, at + usedBytes);
    return { id: id + 1, histograms: words[Word.Histograms], fd, at };
  });
  // One of zeros, one beyond the end of the file.
  const others = [0, 9].map((id) => ({ id, histograms: 0, fd, at: id * APART }));
  const bytes = new Taker().take(orderOf([...others, ...sources]));
  assert.ok(bytes.toString() === simple('text', segments));
});

it('a segment that grows between two reads is read up to its former end', (context) => {
  const segment = counted(5, 5);
  const wanted = simple('text', [segment]);
  const folder = mkdtempSync(join(tmpdir(), 'vibing-'));
  const fd = openSync(join(folder, 'segment'), 'wx+');
  const write = (): void => {
    const { buffer, usedBytes } = segment;
    writeSync(fd, new Uint8Array(buffer, 0, usedBytes), 0, usedBytes, 0);
  };
  write();
  const { readSync } = fs;
  let reads = 0;
  const mocked = context.mock.method(fs, 'readSync', (...given: Parameters<typeof readSync>) => {
    const bytes = readSync(...given);
    reads += 1;
    if (reads > 1) return bytes;
    // Another process adds a family behind the header that has just been read.
    segment.cellOf({ name: 'later', type: 'gauge', unit: '', help: 'L.', labels: [] });
    write();
    return bytes;
  });
  syncBuiltinESMExports();
  context.after(() => {
    mocked.mock.restore();
    syncBuiltinESMExports();
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  const bytes = new Taker().take(orderOf([{ id: 0, histograms: 0, fd, at: 0 }]));
  assert.equal(reads, 2);
  assert.ok(bytes.toString() === wanted);
});

describe('the thread', () => {
  class Port extends EventEmitter {
    readonly posted: FromComposer[] = [];

    postMessage(message: FromComposer): void {
      this.posted.push(message);
    }
  }

  it('composes for its port, on the cores of the process, with less priority', () => {
    for (const [platform, cores, calls] of [
      ['linux', [1, 3], ['pin 1,3', 'priority 10 of 0']],
      ['linux', [], ['priority 10 of 0']],
      ['win32', [2], ['pin 2']],
    ] as const) {
      const port = new Port();
      const made: string[] = [];
      beginComposing(
        port as never,
        { cores },
        {
          platform,
          pinTo: (...given) => made.push(`pin ${given}`),
          setPriority: (pid, priority) => void made.push(`priority ${priority} of ${pid}`),
        },
      );
      assert.deepEqual(made, calls);
      const order = orderOf(inMemory([counted(1, 3)]));
      const slots = [new SharedArrayBuffer(1 << 20)];
      port.emit('message', { kind: 'begin', id: 7, order, slots } satisfies ToComposer);
      assert.deepEqual(
        port.posted.map(({ id }) => id),
        [7],
      );
    }
  });
});

type Bound = Pick<Taker, 'begin' | 'documents' | 'posted' | 'slots'>;

/** With begin() as a function. */
function bound(taker: Taker): Bound {
  const { documents, posted, slots } = taker;
  return { documents, posted, slots, begin: (order) => taker.begin(order) };
}
