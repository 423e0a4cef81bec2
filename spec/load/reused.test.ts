// What a load uses again, for its next response, its next connection, or after its warm-up, equals
// what is new: compared field by field after a random use.

import { describe, test } from 'node:test';
import { Client } from '../../src/load/client.ts';
import { HeadMemory } from '../../src/load/head-memory.ts';
import { Histogram } from '../../src/load/histogram.ts';
import { LoadError, Recorder } from '../../src/load/recorder.ts';
import { ResponseChunks } from '../../src/load/response-chunks.ts';
import { ResponseHead } from '../../src/load/response-head.ts';
import { ResponseReader } from '../../src/load/response-reader.ts';
import type { Random } from '../../testing/random.ts';
import { checkReused, REUSED_SEED, type Reused, scramble } from '../../testing/reused.ts';

const ERRORS = Object.values(LoadError);

function useHistogram(histogram: Histogram, random: Random): void {
  for (let count = random.between(1, 50); count > 0; count--) histogram.add(random.ms(0.1, 9_000));
}

function useRecorder(recorder: Recorder, random: Random): void {
  const seconds = random.between(3, 6);
  for (let second = 1; second <= seconds; second++) {
    for (let count = random.between(1, 20); count > 0; count--) {
      recorder.responded(random.ms(0.1, 900), random.between(200, 599), random.below(3));
      recorder.bytes += random.below(1_000);
    }
    recorder.failed(random.pick(ERRORS), random.between(1, 5), 'a detail');
    recorder.mismatched();
    recorder.reconnects += 1;
    recorder.delayedReconnects += 1;
    recorder.keepBad(Buffer.from('bad'));
    recorder.endSecond(second * 1_000);
    recorder.extendSecond(second * 1_000 + random.below(500));
  }
}

const HEADS = [
  'HTTP/1.0 503 Busy\r\nContent-Length: 12\r\nConnection: keep-alive, close\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n',
  'HTTP/1.1 204 No\r\nContent-Length: 1 \r\nX: y\r\nConnection: close\r\n',
];
const CHUNKS = '5;a=b\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nX: y\r\n\r\n';

function useReader(reader: ResponseReader, random: Random): void {
  const expected = Buffer.from('expected');
  reader.begin({ isHead: false, memory: new HeadMemory(), expected });
  const body = random.pick(['Content-Length: 5', 'Transfer-Encoding: chunked', 'X: y']);
  const bytes = Buffer.from(`HTTP/1.1 500 No\r\nConnection: close\r\n${body}\r\n\r\nexp${CHUNKS}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  reader.read(bytes, view, 0, random.between(40, bytes.length));
  reader.isAsExpected = false;
}

const KIND = { isHead: true, memory: new HeadMemory(), expected: null };

const ROWS: readonly Reused<never>[] = [
  row<Histogram>({
    name: 'Histogram.clear()',
    make: () => new Histogram(),
    use: useHistogram,
    clear: (histogram) => histogram.clear(),
  }),
  row<Recorder>({
    name: 'Recorder.clear()',
    // Most uses have more responses.
    make: () => new Recorder(3, 20),
    use: useRecorder,
    clear: (recorder) => recorder.clear(),
    constant: ['#countMax'],
  }),
  row<Client>({
    name: 'Client.clear()',
    make: () => new Client(3, 4, 7),
    use: (client, random) => scramble(client, random),
    clear: (client) => client.clear(),
    kept: [
      // ConnectionPool sets them before it opens the connection.
      ...['state', 'isReceiving', 'isSending', 'sinceMs', 'startMs', 'isQueued'],
      // They belong to the client, not to its connection.
      ...['slot', 'position', 'hadConnection', 'connectsWithoutResponse', 'connectFailed'],
      ...['isDelayed', 'reader'],
    ],
    constant: ['#depth'],
  }),
  row<ResponseHead>({
    name: 'ResponseHead.clear()',
    make: () => new ResponseHead(),
    use: (head, random) => {
      const bytes = Buffer.from(random.pick(HEADS));
      head.read(bytes, 0, random.between(20, bytes.length));
    },
    clear: (head) => head.clear(),
    // Each is set where the state begins that uses it.
    kept: ['minor', '#kind', '#mask', '#wordIndex', '#hasDigits', '#hasBlank'],
  }),
  row<ResponseChunks>({
    name: 'ResponseChunks.clear()',
    make: () => new ResponseChunks(),
    use: (chunks, random) => {
      const bytes = Buffer.from(CHUNKS);
      chunks.read(bytes, 0, random.between(1, bytes.length));
    },
    clear: (chunks) => chunks.clear(),
    // Every read() sets them first.
    kept: ['from', 'to'],
  }),
  row<ResponseReader>({
    name: 'ResponseReader.begin()',
    make: () => new ResponseReader(),
    use: useReader,
    clear: (reader) => reader.begin(KIND),
    prepare: (reader) => reader.begin(KIND),
    // The results of the last response, and parts that are cleared where they begin: rows above.
    kept: ['status', 'closes', '#body', '#left', '#head', '#chunks'],
  }),
];

/** Rows of different types in one list. */
function row<T extends object>(reused: Reused<T>): Reused<never> {
  return reused as unknown as Reused<never>;
}

describe('what was used and cleared equals what is new', () => {
  for (const each of ROWS) test(each.name, () => checkReused(each, REUSED_SEED));
});
