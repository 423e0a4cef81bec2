// Request bodies that a handler reads, ignores, or reads too late, with and without
// `Expect: 100-continue`, from clients that wait for the 100 and from others. The tests check what
// the client sees: when 100 is sent, what the response says of the connection, and whether the
// connection does so. The expectations follow RFC 9110 10.1.1 and RFC 9112 9.3 and 9.6.

import assert from 'node:assert/strict';
import type { Handler } from '../../src/exchange/handler.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Server } from '../../src/server/server.ts';
import type { RawClient } from '../../testing/raw-client.ts';
import { type DriverName, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

const DISCARD_BYTES_MAX = 1_000;
const SMALL = 'b'.repeat(10);
/** More than a block, so that the first chunk is never all of it. */
const LARGE = 'b'.repeat(100_000);

/** What happens to the connection, as far as the handler decides. */
type End = 'lives' | 'closes' | 'closes unannounced' | 'either';

interface Kind {
  readonly name: string;
  readonly handler: Handler;
  readonly status: number;
  /** The handler reads all of the body before it responds. */
  readonly asks: boolean;
  readonly readsAll: boolean;
  /** It reads all of it after the head was sent. */
  readonly asksLate?: boolean;
  /** It responds chunk by chunk. */
  readonly streams?: boolean;
}

async function firstChunk(request: Request): Promise<void> {
  for await (const _chunk of request.body) return;
}

const KINDS: readonly Kind[] = [
  {
    name: 'reads, then responds',
    handler: async (request, response) => response.text(String((await request.bytes()).length)),
    ...{ status: 200, asks: true, readsAll: true },
  },
  {
    name: 'reads late, then responds',
    handler: async (request, response) => {
      await wait(1);
      response.text(String((await request.bytes()).length));
    },
    ...{ status: 200, asks: true, readsAll: true },
  },
  {
    name: 'sends back what it reads',
    handler: async (request, response) => {
      for await (const chunk of request.body) await response.write(chunk);
      response.end();
    },
    ...{ status: 200, asks: true, readsAll: true, streams: true },
  },
  {
    name: 'responds while it reads',
    handler: async (request, response) => {
      const reading = request.bytes();
      response.text('early');
      await reading;
    },
    ...{ status: 200, asks: true, readsAll: true },
  },
  {
    name: 'streams, then reads',
    handler: async (request, response) => {
      await response.write('early');
      await request.bytes();
      response.end();
    },
    ...{ status: 200, asks: false, readsAll: false, asksLate: true, streams: true },
  },
  {
    name: 'never reads',
    handler: (_request, response) => response.text('no need'),
    ...{ status: 200, asks: false, readsAll: false },
  },
  {
    name: 'never reads, later',
    handler: async (_request, response) => {
      await wait(2);
      response.text('no need');
    },
    ...{ status: 200, asks: false, readsAll: false },
  },
  {
    name: 'never reads and streams',
    handler: (_request, response) => response.stream(['no', 'need']),
    ...{ status: 200, asks: false, readsAll: false, streams: true },
  },
  {
    name: 'throws',
    handler: () => {
      throw new Error('planned');
    },
    ...{ status: 500, asks: false, readsAll: false },
  },
  {
    name: 'reads a chunk, then responds',
    handler: async (request, response) => {
      await firstChunk(request);
      response.text('enough');
    },
    ...{ status: 200, asks: true, readsAll: false },
  },
  {
    name: 'reads a chunk, then streams',
    handler: async (request, response) => {
      await firstChunk(request);
      await response.stream(['enough']);
    },
    ...{ status: 200, asks: true, readsAll: false, streams: true },
  },
];

/** With BODY_BYTES_MAX every body is too long for it. */
const TOO_LONG: Kind = {
  name: 'reads more than it may',
  handler: async (request, response) => response.send(await request.bytes()),
  ...{ status: 413, asks: false, readsAll: false },
};
const BODY_BYTES_MAX = 5;

/** When the client sends the body: with the head, a moment later, or when it may. */
type Sends = 'at once' | 'later' | 'when asked';

interface Case {
  readonly kind: Kind;
  readonly index: number;
  readonly chunked: boolean;
  readonly large: boolean;
  readonly expects: boolean;
  readonly sends: Sends;
  readonly version: '1.0' | '1.1';
  readonly close: boolean;
}

function* allCases(kinds: readonly Kind[]): Generator<Case> {
  for (const [index, kind] of kinds.entries()) {
    for (const chunked of [false, true]) {
      for (const large of [false, true]) {
        for (const [version, close] of [
          ['1.1', false],
          ['1.1', true],
          ['1.0', false],
        ] as const) {
          if (version === '1.0' && chunked) continue;
          const base = { kind, index, chunked, large, version, close };
          for (const sends of ['at once', 'later'] as const) {
            for (const expects of [false, true]) yield { ...base, sends, expects };
          }
          if (version === '1.1') yield { ...base, sends: 'when asked', expects: true };
        }
      }
    }
  }
}

function nameOf({ kind, chunked, large, expects, sends, version, close }: Case): string {
  const framing = `${large ? 'large' : 'small'} ${chunked ? 'chunked' : 'of known length'}`;
  const more = `${expects ? ', expects' : ''}${close ? ', close' : ''}`;
  return `${kind.name}: ${framing}, sent ${sends}, HTTP/${version}${more}`;
}

/** RFC 9110 10.1.1: HTTP/1.0 has no interim responses, and no 100 follows a final one. */
function mayContinue({ kind, expects, version }: Case): boolean {
  return expects && version === '1.1' && kind.asks;
}

function endOf(one: Case): End {
  const { kind, chunked, large, expects, sends, version, close } = one;
  if (close) return 'closes';
  // It depends on how much of the body has arrived when the read rejects.
  if (kind.status === 413 && (large ? chunked : expects && sends !== 'when asked')) return 'either';
  if (isDelimitedByEnd(one)) return 'closes';
  if (kind.readsAll) return 'lives';
  // A client without a 100 may or may not send its body, so only a close is unambiguous.
  if (expects && version === '1.1' && !kind.asks) return 'closes';
  if (!large) return 'lives';
  if (!chunked) return 'closes';
  // The server sees that it is long after the head was sent. A handler that reads late reads it
  // all.
  return kind.asksLate === true ? 'lives' : 'closes unannounced';
}

/** A stream to HTTP/1.0 is delimited by the close of the connection. */
function isDelimitedByEnd({ kind, version }: Case): boolean {
  return version === '1.0' && kind.streams === true;
}

function headOf({ index, chunked, large, expects, version, close }: Case): string {
  const lines = [`POST /${index} HTTP/${version}`, 'Host: a.test'];
  if (chunked) lines.push('Transfer-Encoding: chunked');
  else lines.push(`Content-Length: ${large ? LARGE.length : SMALL.length}`);
  if (expects) lines.push('Expect: 100-continue');
  if (close) lines.push('Connection: close');
  else if (version === '1.0') lines.push('Connection: keep-alive');
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function bodyOf({ chunked, large }: Case): string {
  const body = large ? LARGE : SMALL;
  return chunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
}

/** Sends the request as such a client does. */
async function sendRequest(client: RawClient, one: Case): Promise<void> {
  if (one.sends === 'at once') {
    void client.send(headOf(one) + bodyOf(one));
    return;
  }
  void client.send(headOf(one));
  if (one.sends === 'later') {
    await wait(2);
    void client.send(bodyOf(one));
    return;
  }
  await client.sees('\r\n\r\n');
  const isAsked = client.rest.toString('latin1').startsWith('HTTP/1.1 100 ');
  assert.equal(isAsked, mayContinue(one), 'whether 100 is sent');
  if (isAsked || one.kind.asksLate === true) void client.send(bodyOf(one));
}

/** Judges one request on a connection; false when the connection has ended. */
async function judge(client: RawClient, one: Case): Promise<boolean> {
  await sendRequest(client, one);
  let response = await client.nextResponse('POST');
  if (response.status === 100) {
    assert.ok(mayContinue(one), 'an interim response without an expectation');
    assert.deepEqual(response.fields, []);
    response = await client.nextResponse('POST');
  }
  assert.equal(response.status, one.kind.status);
  const end = endOf(one);
  const saysClose = response.all('connection').includes('close');
  if (end !== 'either') assert.equal(saysClose, end === 'closes', `${end}: Connection: close`);
  if (saysClose) {
    await client.endsCleanly();
    return false;
  }
  void client.send('GET /next HTTP/1.1\r\nHost: a.test\r\n\r\n');
  if (end === 'lives' || (end === 'either' && !one.large)) {
    assert.equal((await client.nextResponse()).text, 'next');
    assert.equal(client.rest.length, 0);
    return true;
  }
  await client.ending();
  assert.equal(client.rest.length, 0, 'nothing follows the last response');
  return false;
}

async function judgeAll(driver: DriverName, cases: readonly Case[], options = {}): Promise<void> {
  const routes = (server: Server) => {
    const kinds = [...KINDS, TOO_LONG];
    for (const [index, { handler }] of kinds.entries()) server.post(`/${index}`, handler);
    server.get('/next', (_request, response) => response.text('next'));
  };
  const limits = { discardBytesMax: DISCARD_BYTES_MAX, ...options };
  await withServer(driver, limits, routes, async ({ open }) => {
    const problems: string[] = [];
    let next = 0;
    const work = async () => {
      let client: RawClient | null = null;
      while (next < cases.length) {
        const one = cases[next];
        next += 1;
        client ??= await open();
        try {
          if (await judge(client, one)) continue;
        } catch (error) {
          problems.push(`${nameOf(one)}: ${String(error)}`);
        }
        client.reset();
        client = null;
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    assert.equal(problems.length, 0, `${problems.length} fail:\n${problems.join('\n')}`);
  });
}

onEachDriver('bodies and their handlers', (add) => {
  const cases = [...allCases(KINDS)];
  add(`${cases.length} combinations`, async (driver) => await judgeAll(driver, cases));

  add('bodies over the limit', async (driver) => {
    // The length shows it before 100 is sent; chunks have to be read.
    const tooLong = [...allCases([TOO_LONG])].map((one) => {
      return { ...one, index: KINDS.length, kind: { ...TOO_LONG, asks: one.chunked } };
    });
    await judgeAll(driver, tooLong, { bodyBytesMax: BODY_BYTES_MAX });
  });
});
