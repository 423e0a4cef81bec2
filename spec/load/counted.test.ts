// Responses that are counted because they equal the one before: a load that counts reports exactly
// what a load reports that reads every response strictly, whatever a hostile server sends.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeadMemory } from '../../src/load/head-memory.ts';
import type { LoadOptions } from '../../src/load/options.ts';
import { Random } from '../../testing/random.ts';
import { runVirtual } from './fixtures/run-virtual.ts';

const SEED = Number(process.env['VIBING_SEED'] ?? Date.now() % 1_000_000);
const RUNS = 40;
const TURN_MS = 0.1;

const SAME = 'HTTP/1.1 200 OK\r\nDate: AAAA\r\nContent-Length: 5\r\n\r\nhello';

/** What a hostile server sends instead, from the harmless to the malformed. */
const OTHERS: readonly string[] = [
  SAME.replace('AAAA', 'BBBB'),
  SAME.replace('hello', 'HELLO'),
  SAME.replace('200 OK', '500 No'),
  SAME.replace('200 OK', '503 OK'),
  SAME.replace('5\r\n\r\nhello', '6\r\n\r\nhello!'),
  SAME.replace('5\r\n\r\nhello', '0\r\n\r\n'),
  SAME.replace('Content-Length: 5\r\n\r\nhello', 'Content-Length: 4\r\n\r\nhell'),
  // As long as the others, with another end of the head.
  SAME.replace('AAAA\r\nContent-Length: 5\r\n\r\nhello', 'A\r\nContent-Length: 8\r\n\r\nhellohel'),
  SAME.replace('Date: AAAA', 'Connection: close'),
  SAME.replace(
    'Content-Length: 5\r\n\r\nhello',
    'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  ),
  SAME.replace('Content-Length: 5\r\n\r\nhello', '\r\nuntil the end'),
  `HTTP/1.1 103 Early Hints\r\n\r\n${SAME}`,
  'HTTP/1.1 204 No Content\r\n\r\n',
  SAME.replace('HTTP/1.1', 'HTTP/1.0'),
  // Bytes that belong to no request, a response that is cut, a smuggled head, a wrong length.
  SAME + SAME,
  SAME.slice(0, -1),
  SAME.slice(0, 20),
  SAME.replace('AA', '\r\n'),
  SAME.replace('AAAA', 'A\r\nX'),
  SAME.replace('Content-Length: 5', 'Content-Length: x'),
  'garbage',
];

interface Counted {
  readonly responses: number;
  readonly bytes: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly details: Readonly<Record<string, number>>;
  readonly badBytes: string;
  readonly reconnects: number;
  readonly samples: number;
  readonly meanMs: number;
  readonly mostMs: number;
  readonly waiting: number;
}

function run(options: Partial<LoadOptions>, seed: number, usual: string, share: number): Counted {
  const draw = (index: number): Random => new Random(seed, String(index));
  const { load } = runVirtual(
    options,
    {
      // Responses to a pipeline come in a few segments.
      latencyMs: (index) => 0.5 + draw(index >> 2).below(20) * TURN_MS,
      respond: (index) => {
        const random = draw(index);
        if (!random.chance(share)) return usual;
        return random.chance(0.1) ? null : random.pick(OTHERS);
      },
      closesAfter: (index) => draw(index + 1_000_000).chance(share / 10),
    },
    TURN_MS,
  );
  const { recorder } = load;
  const { histogram } = recorder;
  return {
    responses: recorder.responses,
    bytes: recorder.bytes,
    statuses: recorder.statuses(),
    errors: recorder.errorCounts(),
    details: recorder.errorDetails(),
    badBytes: recorder.badBytes,
    reconnects: recorder.reconnects,
    samples: histogram.count,
    meanMs: Math.round(histogram.meanMs * 1e6),
    mostMs: histogram.mostMs,
    waiting: load.waiting.count,
  };
}

describe('counted responses', () => {
  it(`are reported as strictly read ones, from seed ${SEED}`, () => {
    let differing = 0;
    for (let index = 0; index < RUNS; index++) {
      const random = new Random(SEED, `run ${index}`);
      const options = {
        connections: random.between(1, 6),
        pipelining: random.pick([1, 2, 3, 16]),
        durationMs: 60,
        timeoutMs: 20,
        ...(random.chance(0.3) ? { rate: 2_000 } : {}),
      };
      const seed = random.next();
      const share = random.pick([0, 0.002, 0.02, 0.2]);
      // A third of the servers send something else all the time.
      const usual = random.pick([SAME, SAME, random.pick(OTHERS)]);
      const counted = run(options, seed, usual, share);
      const strict = run({ ...options, ...STRICT }, seed, usual, share);
      assert.deepEqual(counted, strict, `run ${index} of seed ${SEED}, ${JSON.stringify(options)}`);
      assert.ok(counted.responses > 0 || share === 0.2 || usual !== SAME);
      if (Object.keys(counted.errors).length > 0) differing += 1;
    }
    assert.ok(differing > 5, 'many runs have errors');
  });
});

/** Two kinds of request: a load counts only where all are of one kind. */
const STRICT = { url: ['http://127.0.0.1:80/', 'http://127.0.0.1:80/b'] };

describe('a remembered head', () => {
  const bytesOf = (text: string): DataView =>
    new DataView(Uint8Array.from(Buffer.from(text)).buffer);

  it('is found again only where every byte is the same, whatever its length', () => {
    for (let length = 4; length < 60; length++) {
      const text = 'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n++++'.slice(
        0,
        length,
      );
      const memory = new HeadMemory();
      assert.ok(memory.keep(bytesOf(`xyz${text}`), 3, 3 + length));
      assert.ok(memory.isAt(bytesOf(`12345${text}!`), 5, 6 + length));
      assert.ok(!memory.isAt(bytesOf(text), 0, length - 1), 'it is cut');
      for (let at = 0; at < length; at++) {
        const view = bytesOf(text);
        view.setUint8(at, view.getUint8(at) ^ 1);
        assert.ok(!memory.isAt(view, 0, length), `byte ${at} of ${length}`);
      }
    }
  });

  it('is not kept when it is longer than its memory, and the one before is forgotten', () => {
    const memory = new HeadMemory();
    assert.ok(memory.keep(bytesOf('HTTP/1.1 200 OK\r\n\r\n'), 0, 19));
    memory.responseBytes = 19;
    assert.ok(!memory.keep(bytesOf('x'.repeat(3_000)), 0, 3_000));
    assert.deepEqual([memory.length, memory.responseBytes], [0, 0]);
  });

  it('counts whole responses up to a number, and none of unknown length', () => {
    const memory = new HeadMemory();
    memory.keep(bytesOf('head'), 0, 4);
    const view = bytesOf('headbodyheadBODYheadbod');
    assert.equal(memory.countAt(view, 0, 23, 9), 0);
    memory.responseBytes = 8;
    assert.equal(memory.countAt(view, 0, 23, 9), 2);
    assert.equal(memory.countAt(view, 0, 23, 1), 1);
    assert.equal(memory.countAt(view, 0, 23, 0), 0);
    assert.equal(memory.countAt(view, 1, 23, 9), 0);
  });
});
