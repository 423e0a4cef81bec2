// `vibing metrics` in this process: how it ends, and that nothing stays open behind it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, it, mock } from 'node:test';
import { metrics } from '../../src/cli/metrics/metrics.ts';
import { FAILED, INTERRUPTED, OK } from '../../src/cli/terminal.ts';
import { eventually } from '../../testing/with-server.ts';
import { Model } from '../viewer/fixtures/model-server.ts';

const servers: Server[] = [];
afterEach(() => {
  mock.restoreAll();
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** A server with metrics; `sockets` are its connections. */
async function serving(listener: RequestListener): Promise<{ port: string; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer({ keepAliveTimeout: 0 }, listener).listen(0, '127.0.0.1');
  server.on('connection', (socket) => sockets.push(socket));
  servers.push(server);
  await once(server, 'listening');
  return { port: String((server.address() as AddressInfo).port), sockets };
}

const model = new Model({ workers: 1, started: Date.now() / 1000 - 60 });
const snapshot: RequestListener = (_request, response) => {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(model.snapshot(Date.now() / 1000)));
};

class Kept {
  readonly columns = 0;
  text = '';
  errors = '';
  readonly exits: number[] = [];
  readonly listeners: (() => void)[] = [];
  out(text: string): void {
    this.text += text;
  }
  err(text: string): void {
    this.errors += text;
  }
  exit(code: number): void {
    this.exits.push(code);
  }
  onInterrupt(listener: () => void): void {
    this.listeners.push(listener);
  }
  interrupt(): void {
    for (const listener of this.listeners) listener();
  }
}

class KeptScreen {
  readonly size = { columns: 80, rows: 24 };
  readonly hasColor = false;
  readonly isInteractive: boolean;
  readonly events: string[] = [];
  typed: (text: string) => void = () => {};

  constructor(isInteractive: boolean) {
    this.isInteractive = isInteractive;
  }

  open(listener: { typed(text: string): void }): void {
    this.events.push('open');
    this.typed = (text) => listener.typed(text);
  }

  draw(lines: readonly string[]): void {
    if (this.events.at(-1) !== 'draw') this.events.push('draw');
    assert.equal(lines.length, 24);
  }

  suspend(): void {
    this.events.push('suspend');
  }

  close(): void {
    this.events.push('close');
  }

  onUnread(): void {}
}

function started(args: readonly string[], screen = new KeptScreen(false)) {
  const terminal = new Kept();
  const code = metrics(args, terminal, screen as unknown as Parameters<typeof metrics>[2]);
  return { code, screen, terminal };
}

/** Each connection was closed by the client. */
async function ended(sockets: readonly Socket[]): Promise<void> {
  assert.ok(sockets.length > 0);
  await eventually('the connections are closed', () => sockets.every(({ closed }) => closed));
}

describe('vibing metrics', { timeout: 60_000 }, () => {
  it('--once prints, and leaves no connection open, also when it fails', async () => {
    const { port, sockets } = await serving(snapshot);
    const { code, terminal } = started([port, '--once']);
    assert.equal(await code, OK);
    assert.match(terminal.text, /Since it started, /);
    await ended(sockets);
    const none = await serving((_request, response) => response.writeHead(404).end());
    const failed = started([none.port, '--once']);
    assert.equal(await failed.code, FAILED);
    const url = `http://127.0.0.1:${none.port}/metrics`;
    assert.ok(failed.terminal.errors.startsWith(`vibing: ${url}: 404: no metrics there`));
    await ended(none.sockets);
  });

  it('in a pipe ends at the first interruption, and exits at the second', async () => {
    const { port, sockets } = await serving(snapshot);
    const { code, terminal } = started([port, '-i', '200ms']);
    await eventually('a line', () => terminal.text.includes('requests/s'));
    terminal.interrupt();
    assert.deepEqual(terminal.exits, []);
    terminal.interrupt();
    assert.deepEqual(terminal.exits, [INTERRUPTED]);
    assert.equal(await code, INTERRUPTED);
    await ended(sockets);
  });

  it('on a screen ends by its keys, and by an interruption before it is there', async () => {
    for (const [key, wanted] of [
      ['q', OK],
      ['\u0003', INTERRUPTED],
    ] as const) {
      const { port, sockets } = await serving(snapshot);
      const { code, screen } = started([port], new KeptScreen(true));
      await eventually('it is open', () => screen.events.includes('open'));
      screen.typed('\u001a');
      screen.typed(`s${key}s`);
      assert.equal(await code, wanted);
      assert.deepEqual(screen.events, ['open', 'draw', 'suspend', 'draw', 'close']);
      await ended(sockets);
    }
    // A time-out would close the connection, too.
    mock.method(AbortSignal, 'timeout', () => new AbortController().signal);
    const silent = await serving(() => {});
    const { code, screen, terminal } = started([silent.port], new KeptScreen(true));
    await eventually('it asks', () => silent.sockets.length > 0);
    terminal.interrupt();
    assert.equal(await code, INTERRUPTED);
    assert.deepEqual(screen.events, []);
    await ended(silent.sockets);
  });
});
