// The health checks of proxy() with results that a test chooses, and what an upstream is called.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Upstream } from '../../src/async-io/upstream.ts';
import type { Services } from '../../src/exchange/exchange.ts';
import { checkAgainAndAgain, healthWithDefaults } from '../../src/middleware/proxy-health.ts';
import { type ProxyServer, ProxyServers } from '../../src/middleware/proxy-servers.ts';
import { upstreamAddress } from '../../src/middleware/upstream-address.ts';

interface Checked {
  /** After each check: `+` healthy, `-` avoided. */
  readonly states: string;
  readonly log: readonly string[];
  readonly pauses: readonly number[];
  readonly limits: readonly number[];
  readonly destroyed: number;
  /** Chunks of content that were read. */
  readonly chunks: number;
}

/** Checks a server until it has given these results; 0 is a response that fails. */
async function check(statuses: readonly number[], health = {}, chunkBytes = 0): Promise<Checked> {
  const found = { states: '', chunks: 0, destroyed: 0 };
  const [log, pauses, limits]: [string[], number[], number[]] = [[], [], []];
  let at = 0;
  async function* content(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 10 && chunkBytes > 0; count++) {
      found.chunks += 1;
      yield new Uint8Array(chunkBytes);
    }
  }
  const upstream = {
    send: () => {
      const status = statuses[at++];
      return {
        limitTo: (ms: number) => limits.push(ms),
        end: () => {},
        response:
          status === 0
            ? Promise.reject(new Error('silence'))
            : Promise.resolve({ status, content: content() }),
        destroy: () => {
          found.destroyed += 1;
        },
      };
    },
  } as unknown as Upstream;
  const server: ProxyServer = {
    upstream,
    host: 'a.test',
    name: 'a',
    failedUntilMs: Number.NEGATIVE_INFINITY,
    isDown: false,
  };
  const services = {
    ended: false,
    onEnd: () => {},
    logError: (line: string) => log.push(line),
    pause: async (ms: number) => {
      pauses.push(ms);
      found.states += server.isDown ? '-' : '+';
      services.ended = at === statuses.length;
    },
  };
  await checkAgainAndAgain(
    server,
    upstream,
    healthWithDefaults({ path: '/', ...health }),
    services as unknown as Services,
  );
  return { ...found, log, pauses, limits };
}

test('only checks in a row take an upstream out, or bring it back', async () => {
  const cases: readonly (readonly [readonly number[], object, string])[] = [
    // By default three that fail, two that succeed.
    [[500, 500, 500, 200, 200], {}, '++--+'],
    [[500, 500, 200, 500, 500, 200], {}, '++++++'],
    [[500, 500, 500, 200, 500, 200, 200], {}, '++----+'],
    // Each change begins a new count.
    [[500, 500, 200, 200, 500, 500], { unhealthy: 2, healthy: 2 }, '+--++-'],
    [[0, 200, 0, 200], { unhealthy: 1, healthy: 1 }, '-+-+'],
    [[500, 200, 200], { unhealthy: 1, healthy: 2 }, '--+'],
    [[500, 500, 200, 500], { unhealthy: 2, healthy: 1 }, '+-++'],
  ];
  for (const [statuses, health, states] of cases) {
    const checked = await check(statuses, health);
    assert.equal(checked.states, states, statuses.join());
    assert.equal(checked.destroyed, statuses.length, 'each check returns its connection');
  }
});

test('a check in flight when the server ends is broken off, and changes nothing', async () => {
  const server: ProxyServer = {
    upstream: {} as Upstream,
    host: 'a.test',
    name: 'a',
    failedUntilMs: Number.NEGATIVE_INFINITY,
    isDown: false,
  };
  let fail = (_error: Error): void => {};
  const response = new Promise((_resolve, reject) => {
    fail = reject;
  });
  let destroyed = 0;
  const upstream = {
    send: () => ({
      ...{ limitTo: () => {}, end: () => {}, response },
      destroy: () => {
        destroyed += 1;
        fail(new Error('the connection was closed'));
      },
    }),
  } as unknown as Upstream;
  let end = (): void => {};
  const services = {
    ended: false,
    onEnd: (run: () => void) => {
      end = run;
    },
    logError: assert.fail,
    pause: () => assert.fail('there is no next check'),
  };
  const health = healthWithDefaults({ path: '/', unhealthy: 1 });
  const given = services as unknown as Services;
  const checking = checkAgainAndAgain(server, upstream, health, given);
  services.ended = true;
  end();
  assert.equal(destroyed, 1);
  await checking;
  assert.equal(server.isDown, false);
});

test('an upstream that is down has no turn while another one is up', () => {
  const servers = [true, false, true, false].map((isDown, index) => ({
    ...{ upstream: {} as Upstream, host: '', name: `${index}`, isDown },
    failedUntilMs: Number.NEGATIVE_INFINITY,
  }));
  const all = new ProxyServers(servers, 1_000);
  const turns = (count: number): string => {
    return Array.from({ length: count }, () => all.next(0).name).join('');
  };
  assert.equal(turns(4), '1313');
  servers[1].failedUntilMs = 5;
  assert.equal(turns(2), '33');
  for (const server of servers) server.isDown = true;
  assert.equal(new Set(turns(4)).size, 4, 'when all are down each is tried');
});

test('a status from 200 to 299 is healthy, and the log says what is wrong', async () => {
  const one = { unhealthy: 1, healthy: 1 };
  for (const [status, state] of [
    [199, '-'],
    [200, '+'],
    [204, '+'],
    [299, '+'],
    [300, '-'],
    [404, '-'],
  ] as const) {
    assert.equal((await check([status], one)).states, state, `${status}`);
  }
  const { log, pauses, limits } = await check([503, 0, 200], one);
  assert.deepEqual(log, [
    'proxy: a is avoided: its health check responds 503',
    'proxy: a is healthy again',
  ]);
  assert.deepEqual(pauses, [5_000, 5_000, 5_000]);
  assert.deepEqual(limits, [2_000, 2_000, 2_000]);
  assert.deepEqual((await check([0], one)).log, [
    'proxy: a is avoided: its health check fails: silence',
  ]);
});

test('content of more than 64 KB is not read', async () => {
  assert.equal((await check([200], {}, 65_536)).chunks, 2);
  assert.equal((await check([200], {}, 6_553)).chunks, 10);
});

test('an address has the port of its scheme, unless it names one', () => {
  for (const [text, host, port, authority] of [
    ['http://a.test', 'a.test', 80, 'a.test'],
    ['https://a.test/', 'a.test', 443, 'a.test'],
    ['https://a.test:80', 'a.test', 80, 'a.test:80'],
    ['http://a.test:443', 'a.test', 443, 'a.test:443'],
    ['http://[::1]:8080', '::1', 8080, '[::1]:8080'],
  ] as const) {
    const isTls = text.startsWith('https');
    assert.deepEqual(upstreamAddress(text), { address: { host, port }, host: authority, isTls });
  }
  for (const text of ['http://user@a.test', 'http://a.test/path', 'http://a.test?x', 'unix:a']) {
    assert.equal(typeof upstreamAddress(text), 'string', text);
  }
});
