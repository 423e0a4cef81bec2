// Every case over a real connection, on every driver: unsplit, in a few segments, and between other
// requests. The server echoes the parts of accepted requests. A rejected request gets an error
// response and the connection closes, without responses to the bytes that follow.

import assert from 'node:assert/strict';
import type { RawClient } from '../../testing/raw-client.ts';
import { onDriversInTurn, type Running, wait, withServer } from '../../testing/with-server.ts';
import type { Case, End, Expected, Message } from './case.ts';
import { describeEnd, report } from './difference.ts';
import { echoOf, echoRoutes } from './echo-server.ts';
import { allCases } from './load.ts';
import { alone, pipelined, type Stream } from './streams.ts';

/** Concurrent connections: many, because each of them mostly waits. */
const CONNECTIONS = 64;
/** Segments of a case; each is sent after the one before had time to arrive. */
const SEGMENTS = 4;
const SEGMENT_WAIT_MS = 1;
/** More reports would be hard to read. */
const REPORTS_MAX = 5;

const cases = allCases();

/** One connection with one case. */
interface CaseRun {
  readonly one: Case;
  readonly stream: Stream;
  readonly splits: readonly number[];
}

/** Cases of one file and with the same limits, which need one server. */
function groups(): readonly (readonly Case[])[] {
  const keyOf = (one: Case): string => JSON.stringify([one.file, one.limits]);
  return [...new Set(cases.map(keyOf))].map((key) => cases.filter((one) => keyOf(one) === key));
}

function runsOf(one: Case): readonly CaseRun[] {
  const single = alone(one);
  return [
    { one, stream: single, splits: [] },
    { one, stream: single, splits: fewSplits(single.bytes.length) },
    { one, stream: pipelined(one), splits: [] },
  ];
}

/** Segments of different lengths; the last byte is a segment of its own. */
function fewSplits(length: number): readonly number[] {
  const splits = new Set([length - 1]);
  for (let segment = 1; segment < SEGMENTS - 1; segment++) {
    splits.add(Math.floor((length * segment) / (SEGMENTS - 0.5)));
  }
  return [...splits].filter((split) => split > 0 && split < length).sort((a, b) => a - b);
}

/** Runs one case: a report, or null when the result is the expected one. */
async function failureOf(
  running: Running,
  { one, stream, splits }: CaseRun,
): Promise<string | null> {
  const client = await running.open();
  try {
    const sent = send(client, stream.bytes, splits);
    if (stream.expected.end.kind === 'incomplete') {
      await sent;
      client.half();
    }
    const wanted = describe(stream.expected);
    const got: string[] = [];
    for (const message of stream.expected.messages) {
      got.push(await describeResponse(client, message));
      if (got.at(-1) !== wanted[got.length - 1]) break;
    }
    if (got.length === stream.expected.messages.length) {
      await sent;
      got.push(await ending(client, stream.expected.end));
    }
    if (got.join('\n') === wanted.join('\n')) return null;
    return report(one, stream.how, splits, wanted, got);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return report(one, stream.how, splits, describe(stream.expected), [problem]);
  } finally {
    client.reset();
  }
}

async function send(
  client: RawClient,
  bytes: Uint8Array,
  splits: readonly number[],
): Promise<void> {
  let from = 0;
  for (const split of [...splits, bytes.length]) {
    // A server that rejected the beginning may have closed the connection already.
    if (client.closed || client.errorCode !== '') return;
    await client.send(bytes.subarray(from, split));
    from = split;
    if (split < bytes.length) await wait(SEGMENT_WAIT_MS);
  }
}

function describe({ messages, end }: Expected): string[] {
  return [...messages.map(describeMessage), describeEnd(end)];
}

function describeMessage(message: Message): string {
  if (message.status !== 200) return `${message.status}${message.closes ? ', close' : ''}`;
  const { method, target, version, path, fields, body, trailers, closes } = message;
  const parts = JSON.stringify({ method, target, version, path, fields, body, trailers });
  return `200${closes ? ', close' : ''} ${parts}`;
}

/** The next final response in the same words. */
async function describeResponse(client: RawClient, message: Message): Promise<string> {
  const response = await finalResponse(client, message.method);
  const closes = response.field('connection') === 'close';
  const status = `${response.status}${closes ? ', close' : ''}`;
  if (response.status !== 200) return status;
  const { method, target, version, path, fields, body, trailers } = echoOf(response);
  const shown = { method, target, version, path: message.path === null ? null : path };
  return `${status} ${JSON.stringify({ ...shown, fields, body, trailers })}`;
}

async function finalResponse(
  client: RawClient,
  method: string,
): Promise<Awaited<ReturnType<RawClient['nextResponse']>>> {
  for (;;) {
    const response = await client.nextResponse(method);
    if (response.status >= 200) return response;
  }
}

/** What follows the last accepted message, in the words of describeEnd(). */
async function ending(client: RawClient, end: End): Promise<string> {
  if (end.kind === 'open') {
    client.half();
  } else if (end.kind !== 'closed') {
    const response = await finalResponse(client, 'GET');
    if (response.status !== end.status) return `status ${response.status}`;
    if (response.field('connection') !== 'close') return 'no Connection: close';
  }
  const how = await client.ending();
  if (client.rest.length > 0) return `more: ${client.rest.toString('latin1')}`;
  return how === 'end' ? describeEnd(end) : how;
}

/** Runs cases, many at a time, until all are done or too many have failed. */
async function failures(
  running: Running,
  caseRuns: readonly CaseRun[],
): Promise<readonly string[]> {
  const found: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < caseRuns.length && found.length < REPORTS_MAX) {
      const caseRun = caseRuns[next];
      next += 1;
      const problem = await failureOf(running, caseRun);
      if (problem !== null) found.push(problem);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return found;
}

onDriversInTurn('cases: connections', (add) => {
  for (const group of groups()) {
    const { file, limits } = group[0];
    const named = Object.entries(limits).map(([name, value]) => `${name} ${value}`);
    const under = named.length === 0 ? 'the default limits' : named.join(', ');
    const count = group.length === 1 ? 'one case' : `${group.length} cases`;
    add(`${file}: ${count} under ${under}`, async (driver) => {
      await withServer(driver, limits, echoRoutes, async (running) => {
        const found = await failures(running, group.flatMap(runsOf));
        assert.equal(found.length, 0, `\n${found.join('\n')}`);
      });
    });
  }

  add('a wrong expectation is detected', async (driver) => {
    const accepted = cases.find(({ expected }) => expected.end.kind === 'open');
    const rejected = cases.find(({ expected }) => expected.end.kind === 'fault');
    assert.ok(accepted !== undefined && rejected !== undefined, 'there are cases of both kinds');
    const { messages, end } = accepted.expected;
    const changed = (part: Partial<Message>): Expected => {
      return { messages: messages.map((each) => ({ ...each, ...part })), end };
    };
    const wrongOnes: readonly (readonly [Case, Expected])[] = [
      [accepted, changed({ body: 'other' })],
      [accepted, changed({ target: '/other' })],
      [accepted, changed({ fields: [] })],
      [accepted, changed({ trailers: [['x', 'y']] })],
      [accepted, changed({ status: 404 })],
      [accepted, changed({ closes: true })],
      [rejected, accepted.expected],
      [rejected, { messages: [], end: { kind: 'incomplete', status: 431 } }],
    ];
    await withServer(driver, {}, echoRoutes, async (running) => {
      for (const [one, expected] of wrongOnes) {
        const stream = { ...alone(one), expected };
        const problem = await failureOf(running, { one, stream, splits: [] });
        assert.notEqual(problem, null, JSON.stringify(expected));
      }
    });
  });
});
