// Fetching snapshots: every problem in words, and a watch that goes on through them.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it, mock } from 'node:test';
import { gzipSync } from 'node:zlib';
import { SNAPSHOT_BYTES_MAX } from '../../src/viewer/limits.ts';
import { FetchProblem, SnapshotSource } from '../../src/viewer/source/fetch-snapshot.ts';
import { Watch } from '../../src/viewer/source/watch.ts';
import { eventually } from '../../testing/with-server.ts';
import { Model, ModelSite } from './fixtures/model-server.ts';
import { request } from './fixtures/steps.ts';

const timeout = 60_000;
const servers: Server[] = [];

after(() => {
  for (const server of servers) server.close().closeAllConnections();
});

async function serving(listener: RequestListener): Promise<URL> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
}

async function problemOf(url: URL): Promise<string> {
  const source = new SnapshotSource(url);
  try {
    await source.fetch();
  } catch (error) {
    assert.ok(error instanceof FetchProblem);
    return error.message;
  } finally {
    source.close();
  }
  return assert.fail('a snapshot was fetched');
}

describe('fetching a snapshot', { timeout }, () => {
  const json = { 'content-type': 'application/json' };
  const [most, tooMany] = [0, 1].map((more) =>
    gzipSync(Buffer.alloc(SNAPSHOT_BYTES_MAX + more, ' '), { level: 1 }),
  );
  const cases: readonly (readonly [string, RequestListener, RegExp])[] = [
    [
      'a path without metrics',
      (_req, res) => res.writeHead(404).end('x'.repeat(1e6)),
      /^404: no metrics there for this client: start it with --metrics; .*tunnel, as "ssh -L /,
    ],
    [
      'a login',
      (_req, res) => res.writeHead(401).end(),
      /^401: .* set VIBING_METRICS_AUTHORIZATION/,
    ],
    ['no permission', (_req, res) => res.writeHead(403).end(), /^403: a login is needed there/],
    [
      'as many bytes as it may have, compressed,',
      (_req, res) => res.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(most),
      /^the response is not JSON/,
    ],
    [
      'a byte more, compressed,',
      (_req, res) => res.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(tooMany),
      new RegExp(`^the snapshot has more than ${SNAPSHOT_BYTES_MAX} bytes$`),
    ],
    ['another status', (_req, res) => res.writeHead(302).end(), /^the response has status 302/],
    [
      'a page',
      (_req, res) => res.writeHead(200, { 'content-type': 'text/html\u00e9' }).end('<p>'),
      /^the response is "text\/html.", not JSON; is it the path of the metrics/,
    ],
    ['no type', (_req, res) => res.end('{}'), /^the response is "no type", not JSON/],
    ['broken JSON', (_req, res) => res.writeHead(200, json).end('{'), /^the response is not JSON/],
    ['other JSON', (_req, res) => res.writeHead(200, json).end('{}'), /has no version/],
    ['an end without a response', (req) => req.socket.destroy(), /^the connection was reset$/],
    [
      'an end in the middle',
      (req, res) => {
        res.writeHead(200, { ...json, 'content-length': '100' }).write('{', () => {
          req.socket.destroy();
        });
      },
      /^(the connection was reset|aborted)$/,
    ],
    [
      'a response without end',
      (_req, res) => {
        res.writeHead(200, json);
        const chunk = Buffer.alloc(1024 * 1024, ' ');
        const more = (): void => {
          if (!res.destroyed) res.write(chunk, more);
        };
        more();
      },
      new RegExp(`^the snapshot has more than ${SNAPSHOT_BYTES_MAX} bytes$`),
    ],
  ];
  for (const [what, listener, wanted] of cases) {
    it(`${what} is a problem in one line`, async () => {
      assert.match(await problemOf(await serving(listener)), wanted);
    });
  }

  it('goes on behind a problem whose response does not end, with a type in any case', async () => {
    let count = 0;
    const url = await serving((_req, res) => {
      count += 1;
      if (count === 1) res.writeHead(404).write('x');
      else {
        res.setHeader('Content-Type', 'Application/JSON; charset=utf-8');
        res.end(JSON.stringify(new Model({ workers: 1, started: 5 }).snapshot(10)));
      }
    });
    const source = new SnapshotSource(url);
    // A time-out would end the first request, too.
    mock.method(AbortSignal, 'timeout', () => new AbortController().signal);
    try {
      await assert.rejects(source.fetch(), { message: /^404/ });
      assert.equal((await source.fetch()).snapshot.time, 10);
    } finally {
      mock.restoreAll();
      source.close();
    }
  });

  it('no server, and no such host', async () => {
    const refused = await problemOf(new URL('http://127.0.0.1:1/metrics'));
    assert.equal(refused, 'connection refused: no server listens there');
    assert.match(
      await problemOf(new URL('http://no.such.invalid/')),
      /^(host name|the name|no response)/,
    );
  });
});

/** The compiler takes what an earlier assertion found for constant. */
function problemOfWatch({ absence }: Watch): string {
  return absence?.problem ?? '';
}

describe('a watch', { timeout }, () => {
  it('goes on while the server is away, and after it is back', async () => {
    const started = Date.now() / 1000 - 5;
    let model = new Model({ workers: 1, started });
    const site = new ModelSite(() => {
      model.add(request());
      return model.snapshot(Date.now() / 1000);
    });
    await site.open();
    const source = new SnapshotSource(new URL(site.url));
    const watch = new Watch(source, { intervalMs: 20 }, { changed: () => {} });
    try {
      await watch.start();
      const { history } = watch;
      await eventually('it has points', () => history.record.points.length >= 3);
      assert.equal(watch.absence, null);
      await site.close();
      await eventually('it misses the server', () => watch.absence !== null);
      assert.match(problemOfWatch(watch), /refused|reset/);
      const before = history.record.points.length;
      model = new Model({ workers: 1, started: Date.now() / 1000 });
      await site.open();
      await eventually('it is back', () => history.record.points.length > before + 1);
      assert.equal(watch.absence, null);
      const [, second, ...rest] = history.record.points.slice(before - 1);
      assert.deepEqual([second.gap, second.restarted], [true, true]);
      assert.ok(rest.every(({ gap }) => !gap));
      assert.equal(watch.server?.started, model.options.started);
    } finally {
      watch.stop();
      await site.close();
    }
    const { length } = watch.history.record.points;
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(watch.history.record.points.length, length, 'it has stopped');
  });

  it('misses snapshots that do not advance', async () => {
    const model = new Model({ workers: 1, started: Date.now() / 1000 - 5 });
    let time = Date.now() / 1000;
    const site = new ModelSite(() => model.snapshot(time));
    await site.open();
    const watch = new Watch(
      new SnapshotSource(new URL(site.url)),
      { intervalMs: 20 },
      {
        changed: () => {},
      },
    );
    try {
      await watch.start();
      await eventually('it misses newer snapshots', () => watch.absence !== null);
      const problem = 'the snapshots do not advance: is a cache in between?';
      assert.equal(problemOfWatch(watch), problem);
      assert.equal(watch.history.record.points.length, 0);
      time += 1;
      await eventually('it has a point', () => watch.history.record.points.length === 1);
      await eventually('it misses the next one', () => watch.absence !== null);
    } finally {
      watch.stop();
      await site.close();
    }
  });

  it('does not begin where the first snapshot cannot be had', async () => {
    const url = await serving((_req, res) => res.writeHead(404).end());
    const watch = new Watch(new SnapshotSource(url), { intervalMs: 20 }, { changed: () => {} });
    await assert.rejects(() => watch.start(), FetchProblem);
    watch.stop();
  });
});
