// rateLimit() in virtual time: which requests are counted together, the fields, the refill, and
// counts that workers share.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Siblings } from '../../src/exchange/siblings.ts';
import { type RateLimitOptions, rateLimit } from '../../src/middleware/rate-limit.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { type VirtualSite, withSite } from '../../testing/virtual-site.ts';
import { wait } from '../../testing/with-server.ts';

function routes(options: RateLimitOptions): (server: Server) => void {
  return (server) => {
    server.use(rateLimit(options));
    server.get('/', (_request, response) => response.text('served'));
  };
}

const THREE = { limit: 3, windowMs: 60_000 } as const;

/** The statuses of `count` requests. */
async function statuses({ ask }: VirtualSite, count: number, ...lines: string[]) {
  const found: number[] = [];
  for (let index = 0; index < count; index++) found.push((await ask(get('/', ...lines))).status);
  return found;
}

describe('the limit', () => {
  test('the requests beyond it are 429, until a token is refilled', async () => {
    await withSite(routes(THREE), async (site) => {
      assert.deepEqual(await statuses(site, 5), [200, 200, 200, 429, 429]);
      site.virtual.driver.nowMs += 19_900;
      assert.deepEqual(await statuses(site, 1), [429]);
      site.virtual.driver.nowMs += 200;
      assert.deepEqual(await statuses(site, 2), [200, 429]);
      site.virtual.driver.nowMs += 600_000;
      assert.deepEqual(await statuses(site, 4), [200, 200, 200, 429]);
    });
  });

  test('burst is the size of the bucket, limit its rate', async () => {
    await withSite(routes({ ...THREE, burst: 1 }), async (site) => {
      assert.deepEqual(await statuses(site, 2), [200, 429]);
      site.virtual.driver.nowMs += 20_000;
      assert.deepEqual(await statuses(site, 2), [200, 429]);
    });
    await withSite(routes({ ...THREE, burst: 5 }), async (site) => {
      assert.deepEqual(await statuses(site, 6), [200, 200, 200, 200, 200, 429]);
    });
  });

  test('fields: the policy, what is left, when to try again', async () => {
    await withSite(routes(THREE), async ({ ask }) => {
      const expected = ['r=2;t=20', 'r=1;t=40', 'r=0;t=60', 'r=0;t=60'];
      for (const [index, values] of expected.entries()) {
        const response = await ask(get('/'));
        assert.deepEqual(response.all('ratelimit-policy'), ['"default";q=3;w=60']);
        assert.deepEqual(response.all('ratelimit'), [`"default";${values}`]);
        const retry = index < 3 ? undefined : '20';
        assert.equal(response.field('retry-after'), retry);
        assert.equal(response.text, index < 3 ? 'served' : 'Too Many Requests\n');
      }
    });
  });

  test('a window of no whole number of seconds has no w; Retry-After is at least 1', async () => {
    const options = { limit: 1, windowMs: 50, name: 'a "b"' };
    await withSite(routes(options), async ({ ask }) => {
      await ask(get('/'));
      const response = await ask(get('/'));
      assert.equal(response.field('ratelimit-policy'), '"a \\"b\\"";q=1');
      assert.equal(response.field('ratelimit'), '"a \\"b\\"";r=0;t=1');
      assert.equal(response.field('retry-after'), '1');
    });
  });

  test('a window of one and a half seconds has no w, as the field has whole ones', async () => {
    await withSite(routes({ limit: 1, windowMs: 1500 }), async ({ ask }) => {
      assert.equal((await ask(get('/'))).field('ratelimit-policy'), '"default";q=1');
    });
  });

  test('two limits each add a member to the fields', async () => {
    const site = (server: Server) => {
      server.use(rateLimit({ ...THREE, name: 'all' }));
      server.use('/one', rateLimit({ limit: 1, windowMs: 1000, name: 'one' }));
      server.get('/one', (_request, response) => response.text('one'));
    };
    await withSite(site, async ({ ask }) => {
      const first = await ask(get('/one'));
      assert.deepEqual(first.all('ratelimit-policy'), ['"all";q=3;w=60', '"one";q=1;w=1']);
      const second = await ask(get('/one'));
      assert.equal(second.status, 429);
      assert.deepEqual(second.all('ratelimit'), ['"all";r=1;t=40', '"one";r=0;t=1']);
    });
  });
});

describe('keys', () => {
  const keyed: RateLimitOptions = {
    ...THREE,
    key: (request) => request.header('x-key') ?? null,
  };

  test('a key, or none, by a function, also a promise', async () => {
    const options: RateLimitOptions[] = [
      keyed,
      { ...THREE, key: async (request) => request.header('x-key') ?? null },
    ];
    for (const each of options) {
      await withSite(routes(each), async (site) => {
        assert.deepEqual(await statuses(site, 4, 'X-Key: a'), [200, 200, 200, 429]);
        assert.deepEqual(await statuses(site, 4, 'X-Key: b'), [200, 200, 200, 429]);
        assert.deepEqual(await statuses(site, 5), [200, 200, 200, 200, 200]);
        const free = await site.ask(get('/'));
        assert.equal(free.field('ratelimit'), undefined);
      });
    }
  });

  test('long keys are compared in full', async () => {
    await withSite(routes(keyed), async (site) => {
      const long = 'k'.repeat(5_000);
      assert.deepEqual(await statuses(site, 4, `X-Key: ${long}`), [200, 200, 200, 429]);
      assert.deepEqual(await statuses(site, 1, `X-Key: ${long}a`), [200]);
      assert.deepEqual(await statuses(site, 1, `X-Key: ${'k'.repeat(64)}`), [200]);
    });
  });

  test('any other result is an error, and the request is not served', async () => {
    for (const result of [undefined, 5, {}, true]) {
      const key = (() => result) as unknown as () => string;
      await withSite(routes({ ...THREE, key }), async (site) => {
        assert.deepEqual(await statuses(site, 1), [500]);
      });
    }
  });

  test('addresses: IPv4 one by one, IPv6 by its first 64 bits', async () => {
    const groups: readonly (readonly [string, string, boolean])[] = [
      ['192.0.2.1', '192.0.2.2', false],
      ['192.0.2.1', '::ffff:192.0.2.1', true],
      ['2001:db8::1', '2001:db8:0:0:ffff:ffff:ffff:ffff', true],
      ['2001:db8::1', '2001:db8:0:1::1', false],
      ['fe80::1%eth0', 'fe80::2%eth1', true],
      ['', '', true],
    ];
    for (const [one, other, isSame] of groups) {
      await withSite(routes({ limit: 1, windowMs: 60_000 }), async (site) => {
        site.virtual.driver.peerAddress = one;
        assert.deepEqual(await statuses(site, 2), [200, 429]);
        site.virtual.driver.peerAddress = other;
        assert.deepEqual(await statuses(site, 1), [isSame ? 429 : 200], `${one} ${other}`);
      });
    }
  });
});

/** Workers that hear each other at once, as long as `isUp`. */
class Link {
  isUp = true;
  readonly messages: unknown[] = [];
  readonly #receivers: ((from: number, topic: string, message: unknown) => void)[] = [];

  worker(number: number): Siblings {
    return {
      publish: (topic, message) => {
        this.messages.push(message);
        const copy: unknown = JSON.parse(JSON.stringify(message));
        if (!this.isUp) return new Promise(() => {});
        for (const receive of this.#receivers) receive(number, topic, copy);
        return Promise.resolve();
      },
      subscribe: (topic, receive) => {
        this.#receivers.push((from, sentTopic, message) => {
          if (from !== number && sentTopic === topic) receive(message);
        });
      },
    };
  }
}

/** Longer than counts are collected: a timer that is set later and is due later fires later. */
const COLLECTED_MS = 130;

async function withWorkers(
  options: RateLimitOptions,
  body: (one: VirtualSite, other: VirtualSite, link: Link) => Promise<void>,
): Promise<void> {
  const link = new Link();
  await withSite(
    routes(options),
    async (one) => {
      await withSite(
        routes(options),
        async (other) => {
          await statuses(one, 1, 'X-Key: subscribe');
          await statuses(other, 1, 'X-Key: subscribe');
          await collect(one, other);
          await body(one, other, link);
        },
        {},
        link.worker(2),
      );
    },
    {},
    link.worker(1),
  );
}

async function collect(...sites: VirtualSite[]): Promise<void> {
  await wait(COLLECTED_MS);
  for (const { virtual } of sites) await virtual.rest();
}

describe('shared', () => {
  const key = (request: { header(name: string): string | undefined }) =>
    request.header('x-key') ?? 'a';
  const shared: RateLimitOptions = { limit: 4, windowMs: 3_600_000, key, shared: true };

  test('what one worker grants, others do not grant again', async () => {
    await withWorkers(shared, async (one, other) => {
      assert.deepEqual(await statuses(one, 3), [200, 200, 200]);
      await collect(one, other);
      assert.deepEqual(await statuses(other, 2), [200, 429]);
      await collect(one, other);
      assert.deepEqual(await statuses(one, 1), [429]);
    });
  });

  test('what both grant at the same time is paid back before either grants more', async () => {
    await withWorkers(shared, async (one, other) => {
      assert.deepEqual(await statuses(one, 4), [200, 200, 200, 200]);
      assert.deepEqual(await statuses(other, 5), [200, 200, 200, 200, 429]);
      await collect(one, other);
      // Eight of four are taken: in an hour four are refilled, and none of them is left.
      for (const site of [one, other]) site.virtual.driver.nowMs += 3_590_000;
      assert.deepEqual(await statuses(one, 1), [429]);
      for (const site of [one, other]) site.virtual.driver.nowMs += 910_000;
      assert.deepEqual(await statuses(one, 2), [200, 429]);
    });
  });

  test('rejected requests are not published, and limits with other names do not mix', async () => {
    await withWorkers({ ...shared, limit: 1 }, async (one, other, link) => {
      await statuses(one, 5);
      await collect(one, other);
      assert.deepEqual(link.messages.at(-1), [['a', 1]]);
      assert.equal(link.messages.length, 3);
    });
    const link = new Link();
    const named = (name: string) => routes({ ...shared, name });
    await withSite(
      named('x'),
      async (one) => {
        await withSite(
          named('y'),
          async (other) => {
            await statuses(other, 1);
            await statuses(one, 4);
            await collect(one, other);
            assert.deepEqual(await statuses(other, 3), [200, 200, 200]);
          },
          {},
          link.worker(2),
        );
      },
      {},
      link.worker(1),
    );
  });

  test('a long key is published as a digest', async () => {
    await withWorkers({ ...shared, limit: 1 }, async (one, other, link) => {
      const long = `X-Key: ${'k'.repeat(1_000)}`;
      assert.deepEqual(await statuses(one, 1, long), [200]);
      await collect(one, other);
      assert.match(JSON.stringify(link.messages.at(-1)), /^\[\["#[0-9a-f]{64}",1\]\]$/);
      assert.deepEqual(await statuses(other, 1, long), [429]);
    });
  });

  test('a key of 64 characters is published as it is', async () => {
    await withWorkers({ ...shared, limit: 1 }, async (one, other, link) => {
      const published: number[] = [];
      for (const length of [64, 65]) {
        await statuses(one, 1, `X-Key: ${'k'.repeat(length)}`);
        await collect(one, other);
        published.push(JSON.stringify(link.messages.at(-1)).indexOf('#'));
      }
      assert.deepEqual(published, [-1, 3]);
    });
  });

  test('a worker hears the others before its first request', async () => {
    const link = new Link();
    const body = async (one: VirtualSite): Promise<void> => {
      await withSite(
        routes(shared),
        async (other) => {
          assert.deepEqual(await statuses(one, 4), [200, 200, 200, 200]);
          await collect(one, other);
          assert.deepEqual(await statuses(other, 1), [429]);
        },
        {},
        link.worker(2),
      );
    };
    await withSite(routes(shared), body, {}, link.worker(1));
  });

  test('a limit within another middleware hears the others from its first request on', async () => {
    const link = new Link();
    const wrapped = (server: Server) => {
      const limit = rateLimit(shared);
      server.use((request, response, next) => limit(request, response, next));
      server.get('/', (_request, response) => response.text('served'));
    };
    const body = async (one: VirtualSite): Promise<void> => {
      await withSite(
        wrapped,
        async (other) => {
          assert.deepEqual(await statuses(other, 1), [200]);
          assert.deepEqual(await statuses(one, 3), [200, 200, 200]);
          await collect(one, other);
          assert.deepEqual(await statuses(other, 1), [429]);
        },
        {},
        link.worker(2),
      );
    };
    await withSite(wrapped, body, {}, link.worker(1));
  });

  test('without the primary no request waits, and each worker keeps the limit itself', async () => {
    await withWorkers(shared, async (one, other, link) => {
      link.isUp = false;
      for (let round = 0; round < 3; round++) {
        const all = [...(await statuses(one, 6)), ...(await statuses(other, 6))];
        assert.deepEqual(await statuses(one, 1, `X-Key: ${round}`), [200]);
        await collect(one, other);
        const granted = all.filter((status) => status === 200).length;
        assert.equal(granted, round === 0 ? 8 : 0);
      }
      // Each has one message on its way, and sends no further one until it has left.
      assert.equal(link.messages.length, 4);
    });
  });
});

test('options are checked', () => {
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{}, /limit and windowMs are missing, as \{ limit: 100, windowMs: 60_000 \}/],
    [{ limit: 1 }, /limit and windowMs are missing/],
    [{ windowMs: 1 }, /limit and windowMs are missing/],
    [{ ...THREE, limit: 0 }, /limit is a whole number of requests from 1/],
    [{ ...THREE, limit: 1.5 }, /limit is a whole number/],
    [{ ...THREE, windowMs: 0 }, /windowMs is a whole number of milliseconds/],
    [{ ...THREE, windowMs: 86_400_001 }, /windowMs is a whole number of milliseconds/],
    [{ ...THREE, burst: 0 }, /burst is a whole number/],
    [{ ...THREE, keysMax: 0 }, /keysMax is a whole number/],
    [{ ...THREE, key: 'ip' }, /key is a function/],
    [{ ...THREE, shared: 1 }, /shared is true or false/],
    [{ ...THREE, name: '' }, /name is printable/],
    [{ ...THREE, name: 'a\n' }, /name is printable/],
    [{ ...THREE, max: 5 }, /no option "max"/],
  ];
  for (const [options, message] of bad) {
    const made = () => rateLimit(options as RateLimitOptions);
    assert.throws(made, { name: 'TypeError', message }, JSON.stringify(options));
  }
});
