// The configurations for load balancers with the real programs: a rolling restart of two servers
// behind HAProxy under load loses no request, and clients keep their addresses.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { found, NAMES, Site, until } from './fixtures/balanced-site.ts';

leaveOutOfCoverage();

const timeout = 120_000;
const CLIENTS = 8;
const PATIENCE_MS = 60_000;

const haproxy = found('haproxy');
const nginx = found('nginx');
const install = (name: string): string => `${name} is not installed: .ci/install-apt`;

interface Got {
  readonly status: number;
  readonly text: string;
  readonly localPort: number;
}

async function ask(
  port: number,
  method: string,
  path: string,
  options: { body?: string; agent?: Agent; headers?: Record<string, string> } = {},
): Promise<Got> {
  const { body, agent = false, headers = {} } = options;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const sent = request({ host: '127.0.0.1', port, method, path, headers, agent, signal });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const localPort = response.socket.localPort ?? 0;
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode ?? 0, text, localPort };
}

/** Clients that send requests, one after the other, until stop() is called. */
class Load {
  readonly failures: string[] = [];
  readonly records: string[] = [];
  /** The processes that sent responses. */
  readonly pids = new Set<number>();
  count = 0;
  #stopped = false;
  readonly #running: Promise<unknown>;

  constructor(port: number, withPosts: boolean) {
    const clients = Array.from({ length: CLIENTS }, (_, index) =>
      this.#client(port, withPosts && index % 2 === 0 ? index : null),
    );
    this.#running = Promise.all(clients);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Waits until more requests have got responses. */
  async more(count = 200): Promise<void> {
    const target = this.count + count;
    await until('requests are handled', async () => this.count >= target);
  }

  async #client(port: number, poster: number | null): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let index = 0; !this.#stopped; index++) {
      const body = `${poster}-${index}`;
      const method = poster === null ? 'GET' : 'POST';
      try {
        const got =
          poster === null
            ? await ask(port, 'GET', '/', { agent })
            : await ask(port, 'POST', '/records', { agent, body });
        if (got.status !== 200) this.failures.push(`${method}: ${got.status} ${got.text}`);
        else if (poster === null) this.pids.add(JSON.parse(got.text).pid);
        else this.records.push(body);
      } catch (error) {
        this.failures.push(`${method}: ${error}`);
      }
      this.count += 1;
    }
    agent.destroy();
  }
}

describe('behind HAProxy', { skip: haproxy === undefined && install('haproxy'), timeout }, () => {
  let site: Site;
  const program = haproxy ?? '';

  before(() => {
    site = new Site();
  });
  afterEach(async () => {
    await site.stop();
    site = new Site();
  });
  after(() => site.stop());

  test('a rolling restart loses no request, and repeats none', { timeout }, async () => {
    for (const name of NAMES) await site.startServer(name);
    await site.startBalancer(program, 'haproxy/haproxy.cfg');
    await site.untilUp();
    const load = new Load(site.port, true);
    await load.more();
    for (const name of NAMES) {
      await site.restart(name);
      await load.more();
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.equal(load.pids.size, 4, 'each server, before and after');
    const recorded = readFileSync(site.records, 'utf8').trim().split('\n');
    assert.deepEqual(recorded.sort(), load.records.sort(), 'each was written once');
  });

  test('a server that stops without a word to HAProxy fails no GET', { timeout }, async () => {
    for (const name of NAMES) await site.startServer(name);
    await site.startBalancer(program, 'haproxy/haproxy.cfg');
    await site.untilUp();
    const load = new Load(site.port, false);
    for (const name of NAMES) {
      await load.more();
      await site.stopServer(name);
      await load.more();
      await site.startServer(name);
      await site.untilUp();
    }
    await load.more();
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.equal(load.pids.size, 4);
  });

  test('the server sees the client and not the balancer, whatever it claims', {
    timeout,
  }, async () => {
    await site.startServer('one');
    await site.startBalancer(program, 'haproxy/haproxy.cfg');
    await isSeenAsItIs(site, {
      'x-forwarded-proto': 'https',
      forwarded: 'for=192.0.2.66;proto=https',
    });
  });

  test('in TCP mode connections and checks have a PROXY header', { timeout }, async () => {
    for (const name of NAMES) await site.startServer(name, 'proxy');
    await site.startBalancer(program, 'haproxy/haproxy-tcp.cfg');
    await site.untilUp();
    const got = await ask(site.port, 'GET', '/');
    assert.equal(JSON.parse(got.text).address, '127.0.0.1', 'and not that of a unix socket');
    await site.stopServer('one');
    await until('the check fails', async () => (await site.state('one')).status === 'DOWN');
    assert.equal((await ask(site.port, 'GET', '/')).status, 200);
  });
});

/** Sends fields that claim another client, and looks at what the server takes it for. */
async function isSeenAsItIs(site: Site, claims: Record<string, string>): Promise<void> {
  const host = 'shop.example.com:8080';
  const other = { 'x-forwarded-for': '192.0.2.66', 'x-forwarded-host': 'evil.example' };
  const got = await ask(site.port, 'GET', '/forwarded', { headers: { host, ...other, ...claims } });
  const expected = { host, protocol: 'http', address: '127.0.0.1' };
  assert.deepEqual(JSON.parse(got.text), expected);
}

describe('behind nginx', { skip: nginx === undefined && install('nginx'), timeout }, () => {
  test('requests go to the server that runs, with the client as it is', { timeout }, async () => {
    const site = new Site();
    try {
      for (const name of NAMES) await site.startServer(name);
      await site.startBalancer(nginx ?? '', 'nginx/vibing.conf');
      await isSeenAsItIs(site, { forwarded: 'for=192.0.2.66' });
      await site.stopServer('one');
      const load = new Load(site.port, false);
      await load.more();
      await load.stop();
      assert.deepEqual(load.failures, []);
    } finally {
      await site.stop();
    }
  });
});
