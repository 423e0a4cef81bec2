// Every way to respond, with every status, method, version and kind of body, on the wire: what the
// client receives, whether the connection persists as the response says, and the next response.
// VIBING_RUNS=2 tries every combination, VIBING_SEED another choice of them.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { Server } from '../../src/server/server.ts';
import { randomFrom } from '../../testing/random.ts';
import { TURN_VARIABLE } from '../../testing/rotation.ts';
import {
  chosenDrivers,
  type DriverName,
  onEachDriver,
  oneDriver,
  withServer,
} from '../../testing/with-server.ts';
import { type Case, endsByItself, judgeAll, PERSISTENCES } from './fixtures/judge-response.ts';
import { addRoutes, allWays, lateErrors, makeFiles, type Way } from './fixtures/ways-to-respond.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-ways-'));
makeFiles(folder);
after(() => rmSync(folder, { recursive: true }));

/** A full run tries half as many, others in each commit. */
const turn = process.env[TURN_VARIABLE];
const seed = Number(process.env['VIBING_SEED'] ?? 1 + Number(turn ?? 0));
const chance = randomFrom(seed);
const EVERYTHING = Number(process.env['VIBING_RUNS'] ?? 1) > 1;
/** The share of combinations that is tried; connections take longest. */
const CLOSING_SHARE: number = turn === undefined ? 1 / 6 : 1 / 12;
const LIVING_SHARE: number = 4 * CLOSING_SHARE;
/** The share that the drivers after the first one try. */
const DRIVER_SHARE = 1 / 5;

const WAYS = allWays(folder);
const LANES = 16;
/** So little that a large body costs nothing. */
const DISCARD_BYTES_MAX = 1_000;
const SMALL = 'b'.repeat(10);
const LARGE = 'b'.repeat(5_000);

/** A request without its target: its method and its body. */
interface Sent {
  readonly name: string;
  readonly method: string;
  readonly lines: readonly string[];
  readonly bytes: string;
  readonly isRead: boolean;
}

function sent(method: string, name: string): Sent {
  const bytes = name === 'no body' ? '' : name.startsWith('small') ? SMALL : LARGE;
  const isRead = name.endsWith(' read');
  if (!name.includes('chunked')) {
    const lines = bytes === '' ? [] : [`Content-Length: ${bytes.length}`];
    return { name, method, lines, bytes, isRead };
  }
  const chunk = `${bytes.length.toString(16)}\r\n${bytes}\r\n0\r\n\r\n`;
  return { name, method, lines: ['Transfer-Encoding: chunked'], bytes: chunk, isRead };
}

const REQUESTS: readonly Sent[] = [
  sent('GET', 'no body'),
  sent('GET', 'small unread'),
  sent('POST', 'no body'),
  sent('POST', 'small read'),
  sent('POST', 'large read'),
  sent('POST', 'small chunked read'),
  sent('POST', 'small unread'),
  sent('POST', 'large unread'),
  sent('POST', 'small chunked unread'),
  sent('HEAD', 'no body'),
  sent('HEAD', 'large unread'),
];

const WHENS = ['once', 'await', 'timer', 'detached'] as const;

function casesOf(way: Way, index: number): Case[] {
  const cases: Case[] = [];
  for (const status of way.statuses) {
    for (const request of REQUESTS) {
      if (way.methods !== undefined && request.method !== 'GET') continue;
      for (const method of way.methods ?? [request.method]) {
        cases.push(...casesFor(way, index, status, { ...request, method }));
      }
    }
  }
  return cases;
}

function casesFor(way: Way, index: number, status: number, request: Sent): Case[] {
  const cases: Case[] = [];
  if (way.respond === null && request.isRead) return cases;
  for (const persistence of PERSISTENCES) {
    // A transfer coding in HTTP/1.0 is an error.
    if (persistence.startsWith('1.0') && request.name.includes('chunked')) continue;
    const every = whensOf(way, status, request).map((when): Case => {
      const read = request.isRead ? 'read' : 'unread';
      const { method, bytes } = request;
      return {
        name: [way.name, status, when, persistence, request.name].join(', '),
        method,
        target: way.target ?? `/way/${index}/${status}/${when}/${read}`,
        lines: [...request.lines, ...(way.lines ?? [])],
        persistence,
        body: bytes,
        skipped: request.isRead || bytes.length <= DISCARD_BYTES_MAX,
        expected: way.expected(status, method),
        together: chance() < 0.5,
      };
    });
    cases.push(...someOf(every));
  }
  return cases;
}

/** When a handler may respond. */
function whensOf(way: Way, status: number, { isRead, method }: Sent): readonly string[] {
  if (way.respond === null) return ['once'];
  const { cut, status: got } = way.expected(status, method);
  // An error of a detached handler reaches no one who responds; and reading a body means awaiting
  // it.
  const mayBeDetached = way.throws !== true && !isRead && cut !== true && got !== 500;
  return mayBeDetached ? WHENS : WHENS.slice(0, 3);
}

/** One of them, or none; fewer of the cases whose connection closes. */
function someOf(every: readonly Case[]): readonly Case[] {
  if (EVERYTHING) return every;
  const one = every[Math.floor(chance() * every.length)];
  return chance() < (endsByItself(one) ? CLOSING_SHARE : LIVING_SHARE) ? [one] : [];
}

/** Cases of HEAD after those of GET that they are compared with. */
const CASES: readonly Case[] = WAYS.flatMap(casesOf).sort(
  (one, other) => Number(one.method === 'HEAD') - Number(other.method === 'HEAD'),
);

function routes(server: Server): void {
  addRoutes(server, WAYS, folder);
}

function onDrivers(name: string, drivers: readonly DriverName[], cases: readonly Case[]): void {
  onEachDriver(
    name,
    (add) => {
      add(
        `${cases.length} responses are what their requests allow, VIBING_SEED=${seed}`,
        async (driver) => {
          await withServer(
            driver,
            { discardBytesMax: DISCARD_BYTES_MAX },
            routes,
            async (running) => {
              const problems = await judgeAll(cases, running.open, LANES);
              const shown = problems.slice(0, 40).join('\n');
              assert.equal(problems.length, 0, `${problems.length} fail:\n${shown}`);
              assert.deepEqual(lateErrors.map(String), []);
            },
          );
        },
      );
    },
    drivers,
  );
}

const some = CASES.filter(() => chance() < DRIVER_SHARE);
onDrivers('all ways to respond', oneDriver(), CASES);
onDrivers('some ways to respond', chosenDrivers().slice(1), some);
