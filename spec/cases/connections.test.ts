// Every case over a real connection, on every driver: whole, in a few pieces, and in a train. What
// is taken is echoed part by part; what is refused is answered with its status, ends the connection
// and keeps all that follows from being answered.

import assert from 'node:assert/strict';
import type { RawClient } from '../../testing/raw-client.ts';
import { onEachDriver, type Running, wait, withServer } from '../../testing/with-server.ts';
import type { Case, End, Expected, Message } from './case.ts';
import { describeEnd, report } from './difference.ts';
import { echoOf, echoRoutes } from './echo-server.ts';
import { allCases } from './load.ts';
import { alone, inTrain, type Train } from './trains.ts';

/** Connections at a time: many, since each of them mostly waits. */
const CONNECTIONS = 64;
/** Pieces of a case; each comes when the one before had time to arrive. */
const SEGMENTS = 4;
const SEGMENT_WAIT_MS = 1;
/** More would hide what is wrong. */
const REPORTS_MAX = 5;

const cases = allCases();

/** One connection to be made. */
interface Errand {
  readonly one: Case;
  readonly train: Train;
  readonly splits: readonly number[];
}

/** Cases of one file and with the same limits, which one server can answer. */
function groups(): readonly (readonly Case[])[] {
  const keyOf = (one: Case): string => JSON.stringify([one.file, one.limits]);
  return [...new Set(cases.map(keyOf))].map((key) => cases.filter((one) => keyOf(one) === key));
}

function errandsOf(one: Case): readonly Errand[] {
  const whole = alone(one);
  return [
    { one, train: whole, splits: [] },
    { one, train: whole, splits: fewSplits(whole.bytes.length) },
    { one, train: inTrain(one), splits: [] },
  ];
}

/** Pieces of different lengths; the last byte comes alone. */
function fewSplits(length: number): readonly number[] {
  const splits = new Set([length - 1]);
  for (let segment = 1; segment < SEGMENTS - 1; segment++) {
    splits.add(Math.floor((length * segment) / (SEGMENTS - 0.5)));
  }
  return [...splits].filter((split) => split > 0 && split < length).sort((a, b) => a - b);
}

/** Runs one errand: a report, or null when all is as it should be. */
async function wrong(running: Running, { one, train, splits }: Errand): Promise<string | null> {
  const client = await running.open();
  try {
    const sent = send(client, train.bytes, splits);
    if (train.expected.end.kind === 'incomplete') {
      await sent;
      client.half();
    }
    const wanted = describe(train.expected);
    const got: string[] = [];
    for (const message of train.expected.messages) {
      got.push(await describeResponse(client, message));
      if (got.at(-1) !== wanted[got.length - 1]) break;
    }
    if (got.length === train.expected.messages.length) {
      await sent;
      got.push(await ending(client, train.expected.end));
    }
    if (got.join('\n') === wanted.join('\n')) return null;
    return report(one, train.how, splits, wanted, got);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return report(one, train.how, splits, describe(train.expected), [problem]);
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
    // A server that refused the beginning may be gone: what it does not take is of no interest.
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

/** The next answer in the same words; interim ones are passed over. */
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

/** What comes behind the last message that is taken, in the words of describeEnd(). */
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

/** Runs errands, many at a time, until all are done or too many went wrong. */
async function wrongs(running: Running, errands: readonly Errand[]): Promise<readonly string[]> {
  const found: string[] = [];
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < errands.length && found.length < REPORTS_MAX) {
      const errand = errands[next];
      next += 1;
      const problem = await wrong(running, errand);
      if (problem !== null) found.push(problem);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, run));
  return found;
}

onEachDriver('cases: connections', (add) => {
  for (const group of groups()) {
    const { file, limits } = group[0];
    const named = Object.entries(limits).map(([name, value]) => `${name} ${value}`);
    const under = named.length === 0 ? 'the usual limits' : named.join(', ');
    const count = group.length === 1 ? 'one case' : `${group.length} cases`;
    add(`${file}: ${count} under ${under}`, async (driver) => {
      await withServer(driver, limits, echoRoutes, async (running) => {
        const found = await wrongs(running, group.flatMap(errandsOf));
        assert.equal(found.length, 0, `\n${found.join('\n')}`);
      });
    });
  }

  add('a wrong expectation is found', async (driver) => {
    const taken = cases.find(({ expected }) => expected.end.kind === 'open');
    const refused = cases.find(({ expected }) => expected.end.kind === 'fault');
    assert.ok(taken !== undefined && refused !== undefined, 'there are cases of both kinds');
    const { messages, end } = taken.expected;
    const changed = (part: Partial<Message>): Expected => {
      return { messages: messages.map((each) => ({ ...each, ...part })), end };
    };
    const wrongOnes: readonly (readonly [Case, Expected])[] = [
      [taken, changed({ body: 'other' })],
      [taken, changed({ target: '/other' })],
      [taken, changed({ fields: [] })],
      [taken, changed({ trailers: [['x', 'y']] })],
      [taken, changed({ status: 404 })],
      [taken, changed({ closes: true })],
      [refused, taken.expected],
      [refused, { messages: [], end: { kind: 'incomplete', status: 431 } }],
    ];
    await withServer(driver, {}, echoRoutes, async (running) => {
      for (const [one, expected] of wrongOnes) {
        const train = { ...alone(one), expected };
        const problem = await wrong(running, { one, train, splits: [] });
        assert.notEqual(problem, null, JSON.stringify(expected));
      }
    });
  });
});
