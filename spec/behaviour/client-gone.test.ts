// Clients that reset the connection while the server does not receive: a handler has stopped
// reading a body, or a pipeline waits. The request's signal aborts at once; slot and descriptor are
// released.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server } from '../../src/server/server.ts';
import { get, type RawClient, request } from '../../testing/raw-client.ts';
import { eventually, Gate, onEachDriver, wait, withServer } from '../../testing/with-server.ts';

/** Too long to expire in a test. */
const NEVER = { connectionTimeoutMs: 60_000, handlerTimeoutMs: 60_000, bodyTotalTimeoutMs: 0 };

/** More than a connection receives ahead of its handler. */
const BODY_BYTES = 4_000_000;

const POST = request('POST', '/', [`Content-Length: ${BODY_BYTES}`]);

/** Sends a request with as much of its body as fits; the rest waits in the kernel's buffers. */
function sendBody(client: RawClient): void {
  void client.send(POST);
  void client.send(Buffer.alloc(BODY_BYTES, 'b'));
}

/** Of a connection in /proc/net/tcp: the keep-alive timer runs. */
const KEEP_ALIVE_TIMER = '02';
/** The states in which a client has ended its stream, and nothing was sent since. */
const CLOSE_WAIT = '08';

/** State and kind of timer of the server's end of a connection; see proc_net_tcp of Linux. */
function kernelStateOf({ socket }: RawClient): readonly string[] {
  const port = (number = 0) => `:${number.toString(16).toUpperCase().padStart(4, '0')}`;
  const ends = [port(socket.remotePort), port(socket.localPort)];
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, local = '', remote = '', state = '', , timer = ''] = line.trim().split(/\s+/);
    if (local.endsWith(ends[0]) && remote.endsWith(ends[1])) return [state, timer.slice(0, 2)];
  }
  return [];
}

onEachDriver('clients that disconnect', (add) => {
  if (process.platform === 'linux') {
    add('in order, before a quiet stream: the kernel asks whether they read', async (driver) => {
      const quiet = (server: Server) => {
        server.get('/', (_request, response) => response.write('begun'));
      };
      await withServer(driver, NEVER, quiet, async ({ open }) => {
        const client = await open();
        await client.send(get('/'));
        await client.sees('begun');
        client.half();
        const known = [CLOSE_WAIT, KEEP_ALIVE_TIMER];
        await eventually('the timer', () => kernelStateOf(client).join() === known.join());
      });
    });
  }

  add('after a handler has read one chunk of a body', async (driver) => {
    let hasRead = false;
    let isAborted = false;
    const reading = (server: Server) => {
      server.post('/', async (request) => {
        request.signal.addEventListener('abort', () => {
          isAborted = true;
        });
        await request.body[Symbol.asyncIterator]().next();
        hasRead = true;
        await new Promise(() => {});
      });
    };
    await withServer(driver, NEVER, reading, async ({ open, server }) => {
      const client = await open();
      sendBody(client);
      await eventually('the handler reads', () => hasRead);
      await wait(100);
      client.reset();
      await eventually('the signal aborts', () => isAborted);
      await eventually('the slot is free', () => server.counters.closed === 1);
    });
  });

  add('while a handler ignores a body, and writes', async (driver) => {
    let isAborted = false;
    let isWritten = false;
    const gate = new Gate();
    const ignoring = (server: Server) => {
      server.post('/', async (request, response) => {
        request.signal.addEventListener('abort', () => {
          isAborted = true;
        });
        await response.write('begun');
        await gate.opened;
        await response.write(Buffer.alloc(1_000_000));
        isWritten = true;
      });
    };
    await withServer(driver, NEVER, ignoring, async ({ open, server }) => {
      const client = await open();
      sendBody(client);
      await client.sees('begun');
      await wait(100);
      client.reset();
      await eventually('the signal aborts', () => isAborted);
      gate.open();
      await eventually('its write resolves', () => isWritten);
      await eventually('the slot is free', () => server.counters.closed === 1);
    });
  });

  add('while a pipeline is at its depth', async (driver) => {
    let isAborted = false;
    const slow = (server: Server) => {
      server.get('/', async (request) => {
        request.signal.addEventListener('abort', () => {
          isAborted = true;
        });
        await new Promise(() => {});
      });
    };
    const options = { ...NEVER, pipelineDepthMax: 1 };
    await withServer(driver, options, slow, async ({ open, server }) => {
      const client = await open();
      void client.send(get('/').repeat(20_000));
      await eventually('the handler runs', () => server.counters.requests === 1);
      await wait(100);
      client.reset();
      await eventually('the signal aborts', () => isAborted);
      await eventually('the slot is free', () => server.counters.closed === 1);
      assert.equal(server.counters.requests, 1);
    });
  });

  add('before a handler reads the next chunk: the read rejects', async (driver) => {
    let isAborted = false;
    let code: unknown = '';
    const gate = new Gate();
    const pausing = (server: Server) => {
      server.post('/', async (request) => {
        request.signal.addEventListener('abort', () => {
          isAborted = true;
        });
        const chunks = request.body[Symbol.asyncIterator]();
        await chunks.next();
        await gate.opened;
        try {
          for (;;) if ((await chunks.next()).done) break;
          code = 'the end';
        } catch (error) {
          code = (error as { code?: string }).code;
        }
      });
    };
    await withServer(driver, NEVER, pausing, async ({ open, server }) => {
      const client = await open();
      sendBody(client);
      await eventually('the handler runs', () => server.counters.requests === 1);
      await wait(100);
      client.reset();
      await eventually('the signal aborts', () => isAborted);
      gate.open();
      await eventually('the read rejects', () => code !== '');
      assert.equal(code, 'ECONNRESET');
    });
  });

  add('after they have half-closed, while a handler runs', async (driver) => {
    let isAborted = false;
    const slow = (server: Server) => {
      server.get('/', async (request) => {
        request.signal.addEventListener('abort', () => {
          isAborted = true;
        });
        await new Promise(() => {});
      });
    };
    await withServer(driver, NEVER, slow, async ({ open, server }) => {
      const client = await open();
      await client.send(get('/'));
      client.half();
      await eventually('the handler runs', () => server.counters.requests === 1);
      await wait(100);
      assert.equal(isAborted, false, 'a half-close does not abort');
      client.reset();
      await eventually('the signal aborts', () => isAborted);
      await eventually('the slot is free', () => server.counters.closed === 1);
    });
  });

  add('half-closed, in the middle of a body that waits: they get a response', async (driver) => {
    const gate = new Gate();
    let isAborted = false;
    const pausing = (server: Server) => {
      server.post('/', async (request, response) => {
        request.signal.addEventListener('abort', () => {
          isAborted = true;
        });
        await gate.opened;
        let bytes = 0;
        for await (const chunk of request.body) bytes += chunk.length;
        response.text(String(bytes));
      });
    };
    await withServer(driver, NEVER, pausing, async ({ open, server }) => {
      const client = await open();
      sendBody(client);
      client.half();
      await eventually('the handler runs', () => server.counters.requests === 1);
      await wait(700);
      assert.equal(isAborted, false, 'a half-close does not abort');
      gate.open();
      assert.equal((await client.nextResponse('POST')).text, String(BODY_BYTES));
      await client.endsCleanly();
    });
  });

  add('over a unix socket, while a handler ignores a body', async (driver, context) => {
    if (process.platform === 'win32') return context.skip('no unix sockets');
    const folder = mkdtempSync(join(tmpdir(), 'vibing-gone-'));
    let isAborted = false;
    const ignoring = (server: Server) => {
      server.post('/', async (request) => {
        request.signal.addEventListener('abort', () => {
          isAborted = true;
        });
        await new Promise(() => {});
      });
    };
    try {
      const options = { ...NEVER, socket: join(folder, 'socket') };
      await withServer(driver, options, ignoring, async ({ open, server }) => {
        const client = await open();
        sendBody(client);
        await eventually('the handler runs', () => server.counters.requests === 1);
        await wait(100);
        client.reset();
        await eventually('the signal aborts', () => isAborted);
        await eventually('the slot is free', () => server.counters.closed === 1);
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
