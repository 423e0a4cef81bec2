// Responses and uploads without an end do not keep a server from closing: it takes the shutdown
// time, cuts them, and leaves nothing behind that would keep the process.

import assert from 'node:assert/strict';
import { get, RawClient } from '../../testing/raw-client.ts';
import { eventually, onEachDriver } from '../../testing/with-server.ts';
import { startProgram } from './fixtures/programs.ts';

/** What a handler of the child is asked by: uploads stay without their end. */
function requestFor(path: string): string {
  const isUpload = path.startsWith('/read') || path === '/mirror';
  if (!isUpload) return get(path);
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n`;
}

/** Far more than the 200 ms of the child, on a machine that is busy with other tests. */
const CLOSE_MS_MAX = 5_000;

interface Ended {
  readonly tookMs: number;
  readonly released: readonly string[];
  readonly settled: readonly string[];
}

/** Asks `paths` of a child, has it close, and gives what it says; it has to end by itself. */
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
    assert.equal(await child.end(), 0, `it ends by itself: ${child.out}${child.problems}`);
    for (const client of clients) client.reset();
    const said = child.out.split('\n').filter((line) => line.startsWith('{'));
    assert.equal(said.length, 3, child.out);
    return { ...JSON.parse(said[1] ?? ''), ...JSON.parse(said[2] ?? '') };
  } finally {
    child.process.kill('SIGKILL');
  }
}

onEachDriver('endless', (add) => {
  add('responses and uploads are cut when the shutdown time is over', async (driver) => {
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
      assert.ok(released.includes(path), `the source of ${path} is let go of`);
    }
    // The others wait for what never comes, by their own code.
    for (const path of ['/busy-events', '/busy-writes', '/read-whole', '/read-pieces', '/mirror']) {
      assert.ok(settled.includes(path), `${path} has come to its end`);
    }
  });

  add('responses that nobody reads are cut as well', async (driver) => {
    const { tookMs } = await closesWith(
      driver,
      (path) => path.startsWith('/busy'),
      (client) => client.pause(),
    );
    assert.ok(tookMs < CLOSE_MS_MAX, `${tookMs} ms`);
  });
});
