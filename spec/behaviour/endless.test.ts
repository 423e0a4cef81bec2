// Endless responses and uploads do not keep a server from closing: it waits for the shutdown
// timeout, resets them, and leaves nothing behind that would keep the process alive.

import assert from 'node:assert/strict';
import { get, RawClient } from '../../testing/raw-client.ts';
import { eventually, onEachDriver } from '../../testing/with-server.ts';
import { startProgram } from './fixtures/programs.ts';

/** The request for each handler of the child; uploads never end. */
function requestFor(path: string): string {
  const isUpload = path.startsWith('/read') || path === '/mirror';
  if (!isUpload) return get(path);
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n`;
}

/** Far more than the child's 200 ms, for a machine that runs other tests. */
const CLOSE_MS_MAX = 5_000;

interface Ended {
  readonly tookMs: number;
  readonly released: readonly string[];
  readonly settled: readonly string[];
}

/** Requests `paths` of a child, closes it, and returns its report; it must exit by itself. */
async function closesWith(
  driver: string,
  pick: (path: string) => boolean,
  act: (client: RawClient) => void,
): Promise<Ended> {
  const child = startProgram('endless-server', [driver]);
  try {
    const { port, paths } = (await child.firstLine()) as { port: number; paths: string[] };
    const asked = paths.filter(pick);
    const clients: RawClient[] = [];
    for (const path of asked) {
      const client = await RawClient.open(port);
      clients.push(client);
      act(client);
      await client.send(requestFor(path));
      await eventually(`${path} begins`, () => child.out.includes(`begun ${path}\n`));
    }
    assert.equal(await child.end(), 0, `it exits by itself: ${child.out}${child.problems}`);
    for (const client of clients) client.reset();
    const said = child.out.split('\n').filter((line) => line.startsWith('{'));
    assert.equal(said.length, 3, child.out);
    return { ...JSON.parse(said[1] ?? ''), ...JSON.parse(said[2] ?? '') };
  } finally {
    child.process.kill('SIGKILL');
  }
}

onEachDriver('endless', (add) => {
  add('responses and uploads are reset when the shutdown timeout expires', async (driver) => {
    const { tookMs, released, settled } = await closesWith(
      driver,
      () => true,
      () => {},
    );
    assert.ok(tookMs < CLOSE_MS_MAX, `${tookMs} ms`);
    for (const path of [
      '/busy-generator',
      '/busy-readable',
      '/quiet-readable',
      '/quiet-web-stream',
    ]) {
      assert.ok(released.includes(path), `the source of ${path} is released`);
    }
    // The other handlers wait for promises of their own.
    for (const path of ['/busy-events', '/busy-writes', '/read-all', '/read-chunks', '/mirror']) {
      assert.ok(settled.includes(path), `${path} has settled`);
    }
  });

  add('responses that no client reads are reset, too', async (driver) => {
    const { tookMs } = await closesWith(
      driver,
      (path) => path.startsWith('/busy'),
      (client) => client.pause(),
    );
    assert.ok(tookMs < CLOSE_MS_MAX, `${tookMs} ms`);
  });
});
