// The parts of the simulator: random numbers, clock, pipes, response reader, shrinking, replays,
// arguments and table.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ResponseReader } from '../../harness/clients/response-reader.ts';
import { parseArguments } from '../../harness/commands/arguments.ts';
import { readReplay, replayText } from '../../harness/report/replay.ts';
import { Table, WANTED } from '../../harness/report/table.ts';
import { timelinePage } from '../../harness/report/timeline.ts';
import { type Outcome, type Scenario, scenarioOf, tooFew } from '../../harness/run/scenario.ts';
import { shrink } from '../../harness/simulation/shrink.ts';
import { Clock, Schedule } from '../../harness/world/clock.ts';
import { FAULT_NAMES, Faults } from '../../harness/world/faults.ts';
import { Pipe } from '../../harness/world/pipe.ts';
import { Trace } from '../../harness/world/trace.ts';
import { Violation } from '../../harness/world/violation.ts';
import { Timeout } from '../../src/connection/context.ts';
import { Reading } from '../../src/connection/state.ts';
import { Fault } from '../../src/http/fault.ts';
import { makeCounts } from '../../src/metrics/counters.ts';
import { Random } from '../../testing/random.ts';

describe('random numbers', () => {
  it('repeat, and differ by seed and by name', () => {
    const numbers = (seed: number, name: string): number[] => {
      const random = new Random(seed, name);
      return Array.from({ length: 20 }, () => random.next());
    };
    assert.deepEqual(numbers(7, 'a'), numbers(7, 'a'));
    assert.notDeepEqual(numbers(7, 'a'), numbers(8, 'a'));
    assert.notDeepEqual(numbers(7, 'a'), numbers(7, 'b'));
    // The same on any engine: computed by the definition of the generator.
    assert.deepEqual(numbers(1, 'pinned').slice(0, 2), PINNED);
  });
});

const PINNED = pinned();

/** Two numbers by the definition of the generator, computed with big integers. */
function pinned(): number[] {
  const word = (value: bigint): bigint => BigInt.asUintN(32, value);
  let hash = 0x811c9dc5n ^ 1n;
  for (const character of 'pinned') {
    hash = word((hash ^ BigInt(character.charCodeAt(0))) * 0x01000193n);
  }
  let [a, b, c, d] = [hash, 1n, word(hash * 0x9e3779b1n), 1n];
  const next = (): bigint => {
    const sum = word(a + b + d);
    d = word(d + 1n);
    a = b ^ (b >> 9n);
    b = word(c + (c << 3n));
    c = word(word((c << 21n) | (c >> 11n)) + sum);
    return sum;
  };
  for (let round = 0; round < 12; round++) next();
  return [Number(next()), Number(next())];
}

describe('the schedule', () => {
  it('runs due events in order, and moves the clock', () => {
    const clock = new Clock();
    const schedule = new Schedule(clock, null);
    const ran: string[] = [];
    schedule.after(5, () => ran.push('late'));
    schedule.after(1, () => ran.push('early'));
    schedule.after(1, () => ran.push('second'));
    schedule.after(2, () => ran.push('cancelled')).cancel();
    while (schedule.step(Number.POSITIVE_INFINITY)) ran.push(String(clock.nowMs));
    assert.deepEqual(ran, ['early', '1001', 'second', '1001', 'late', '1005']);
  });
});

describe('a pipe', () => {
  const pipeWith = (capacity: number): { pipe: Pipe; schedule: Schedule } => {
    const clock = new Clock();
    const schedule = new Schedule(clock, null);
    const faults = new Faults(1, FAULT_NAMES, clock, new Trace(false));
    const random = new Random(1, 'pipe');
    const rest = {
      lane: 0,
      latencyMs: 2,
      arrived: () => {},
      roomAvailable: () => {},
      roomBytes: 1,
    };
    return { pipe: new Pipe({ schedule, faults, random, capacity, ...rest }), schedule };
  };

  it("acknowledges bytes within the receiver's half, and then the end", () => {
    const { pipe, schedule } = pipeWith(10);
    const arrive = (): void => {
      while (schedule.step(Number.POSITIVE_INFINITY));
    };
    pipe.write(Buffer.from('abcdefgh'));
    assert.equal(pipe.unacknowledged, 8);
    arrive();
    assert.equal(pipe.unacknowledged, 3);
    pipe.end();
    arrive();
    assert.equal(pipe.unacknowledged, 4);
    pipe.read(2);
    assert.equal(pipe.unacknowledged, 2);
    pipe.read(1);
    assert.equal(pipe.unacknowledged, 0);
  });

  it('acknowledges nothing of what a reset or its receiver dropped', () => {
    for (const isReset of [true, false]) {
      const { pipe, schedule } = pipeWith(10);
      pipe.write(Buffer.from('abcdefgh'));
      if (!isReset) while (schedule.step(Number.POSITIVE_INFINITY));
      const { unacknowledged } = pipe;
      if (isReset) pipe.reset();
      else pipe.discard();
      assert.equal(pipe.unacknowledged, unacknowledged);
      assert.ok(pipe.room <= 10 - unacknowledged);
      while (schedule.step(Number.POSITIVE_INFINITY));
      assert.equal(Number.isNaN(pipe.resetArrivedMs), !isReset);
      assert.ok(pipe.unacknowledged > 0);
    }
  });

  it('delivers bytes in order after its latency, and counts its room', () => {
    const { pipe, schedule } = pipeWith(10);
    const bytes = Buffer.from('abcdef');
    pipe.write(bytes);
    bytes.fill(0);
    assert.equal(pipe.room, 4);
    assert.equal(pipe.readable, false);
    while (schedule.step(Number.POSITIVE_INFINITY));
    assert.equal(Buffer.from(pipe.read(4)).toString(), 'abcd');
    assert.equal(pipe.room, 8);
    pipe.end();
    while (schedule.step(Number.POSITIVE_INFINITY));
    assert.equal(Buffer.from(pipe.read(100)).toString(), 'ef');
    assert.equal(pipe.ended, true);
  });
});

describe('the response reader', () => {
  const read = (text: string, methods: string[], cut = text.length) => {
    const reader = new ResponseReader();
    reader.methods.push(...methods);
    reader.push(Buffer.from(text.slice(0, cut), 'latin1'));
    reader.push(Buffer.from(text.slice(cut), 'latin1'));
    const found: string[] = [];
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      found.push(
        `${next.status} ${Buffer.from(next.body).toString()}${next.close ? ' close' : ''}`,
      );
    }
    return { reader, found };
  };
  const RESPONSES =
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi' +
    'HTTP/1.1 100 Continue\r\n\r\n' +
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' +
    '3\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n' +
    'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n' +
    'HTTP/1.1 304 Not Modified\r\n\r\n' +
    'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx';

  it('reads every kind of framing, wherever the bytes are split', () => {
    const methods = ['GET', 'GET', 'HEAD', 'GET', 'GET'];
    for (let cut = 0; cut <= RESPONSES.length; cut++) {
      const { reader, found } = read(RESPONSES, methods, cut);
      assert.equal(reader.problem, null, `split at ${cut}`);
      assert.deepEqual(found, ['200 hi', '100 ', '200 abcde', '200 ', '304 ', '400 x close']);
    }
  });

  it('reports malformed responses', () => {
    assert.match(read('HTTQ', ['GET']).reader.problem ?? '', /no response begins/);
    const both = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n';
    assert.match(read(both, ['GET']).reader.problem ?? '', /two kinds/);
    assert.match(
      read(`${RESPONSES}more`, ['GET', 'GET', 'HEAD', 'GET', 'GET']).reader.problem ?? '',
      /after the last/,
    );
  });

  it('distinguishes a truncated response from one that ends with its connection', () => {
    const cut = read('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc', ['GET']).reader.end();
    assert.equal(cut?.whole, false);
    const whole = read('HTTP/1.0 200 OK\r\n\r\nabc', ['GET']).reader.end();
    assert.equal(whole?.whole, true);
  });
});

/** A run that fails while two clients and a fault take part. */
function failingRun(scenario: Scenario): Promise<Outcome> {
  const all = Array.from({ length: 20 }, (_, lane) => lane);
  const clients = scenario.clients ?? all;
  const { seed, faultsOff } = scenario;
  const fails = clients.includes(3) && clients.includes(11) && !faultsOff.includes('segments');
  const trace = new Trace(true);
  trace.note(1, 3, 'client', () => 'says <this> & "that"');
  const faults = new Faults(seed, faultsOff, new Clock(), trace);
  for (const name of FAULT_NAMES) faults.count[name] = 1;
  const scores = {
    responded: 5,
    responses: new Map(),
    endings: new Map(),
    shapes: new Map(),
    statuses: new Map(),
  };
  return Promise.resolve({
    scenario,
    hash: '0123',
    events: 1,
    violation: fails ? new Violation('response', 'injected') : null,
    requests: 5,
    virtualMs: 10,
    scores,
    states: new Map(),
    deadlines: new Map(),
    requestFaults: new Map(),
    faults,
    counters: {},
    clients,
    occurred: new Map(),
    trace,
  });
}

describe('shrinking', () => {
  it('keeps the clients and faults that the failure needs', async () => {
    const { outcome, tries } = await shrink(await failingRun(scenarioOf(1)), failingRun);
    assert.deepEqual(outcome.scenario.clients, [3, 11]);
    assert.equal(outcome.scenario.requestsMax, 1);
    assert.deepEqual(
      FAULT_NAMES.filter((name) => !outcome.scenario.faultsOff.includes(name)),
      ['segments'],
    );
    assert.ok(tries <= 200);
  });
});

describe('a replay', () => {
  it('holds the scenario', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vibing-replay-'));
    try {
      const path = join(folder, 'one.json');
      const outcome = await failingRun({ ...scenarioOf(5), clients: [3, 11] });
      writeFileSync(path, replayText(outcome));
      assert.deepEqual(readReplay(path).scenario, outcome.scenario);
      assert.equal(readReplay(path).check, 'response');
      writeFileSync(path, '{"format": 2}');
      assert.throws(() => readReplay(path), /no replay of format 1/);
      assert.throws(() => readReplay(join(folder, 'none.json')), /cannot be read/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the page of a failing run', () => {
  it('shows lanes and the check, with escaped texts', async () => {
    const page = timelinePage(await failingRun(scenarioOf(1)));
    assert.match(page, /client 3/);
    assert.match(page, /injected/);
    assert.ok(!page.includes('<this>'), 'texts are escaped');
    assert.ok(!/(src|href)=/.test(page), 'it loads no other file');
  });
});

describe('the arguments', () => {
  it('are parsed, or rejected with a line', () => {
    const given = parseArguments(['--seeds', '1000']);
    assert.ok(typeof given !== 'string');
    assert.equal(given.seeds, 1000);
    assert.deepEqual([given.isSingle, given.traces], [false, false]);
    assert.equal(Object(parseArguments(['--traces'])).traces, true);
    const single = parseArguments(['--seed', '7']);
    assert.ok(typeof single !== 'string' && single.isSingle && single.seed === 7);
    for (const bad of [['--seed', 'x'], ['--seeds', '0'], ['--driver', 'no'], ['--what'], ['x']]) {
      assert.equal(typeof parseArguments(bad), 'string', bad.join(' '));
    }
    assert.equal(typeof parseArguments(['--replay', 'a', '--seed', '1']), 'string');
    assert.equal(typeof parseArguments(['--from-commit', '--seed', '1']), 'string');
  });
});

describe('the table', () => {
  it('lists what never occurred', async () => {
    const table = new Table(WANTED);
    const outcome = await failingRun(scenarioOf(1));
    outcome.faults.count.stall = 0;
    table.add(outcome);
    assert.ok(table.missing.includes('fault: stall'));
    assert.ok(!table.missing.includes('fault: jump'));
    assert.ok(table.missing.includes('state: lingers'));
    assert.ok(table.lines().some((line) => line.includes('stall') && line.includes('never')));
    // All names that the source lists are wanted.
    for (const name of Object.keys(Timeout)) assert.ok(table.missing.includes(`deadline: ${name}`));
    for (const name of Object.keys(Fault))
      assert.ok(table.missing.includes(`request fault: ${name}`));
    for (const name of Object.keys(Reading)) {
      assert.ok(table.missing.includes(`state: Reading.${name}`));
    }
    // The simulated log drops no line.
    for (const name of Object.keys(makeCounts())) {
      assert.ok(table.missing.includes(`server: ${name}`));
    }
  });

  it('reports how many requests runs judged, and a run with too few', async () => {
    const table = new Table(WANTED);
    for (const requests of [230, 200, 215]) {
      const outcome = { ...(await failingRun(scenarioOf(1))), violation: null, requests };
      assert.equal(tooFew(outcome), null);
      table.add(outcome);
    }
    assert.match(table.perSeed(), /least 200, median 215, most 230$/);
    const idle = { ...(await failingRun(scenarioOf(9))), violation: null, requests: 199 };
    assert.match(tooFew(idle) ?? '', /^seed 9 judged 199 requests/);
  });
});
