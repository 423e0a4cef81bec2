// Texts of clients and errors in the logs of a running server: they cannot begin a line, and they
// reach a terminal only as visible characters.

import assert from 'node:assert/strict';
import { accessLog } from '../../src/middleware/access-log.ts';
import type { Server } from '../../src/server/server.ts';
import { get, request } from '../../testing/raw-client.ts';
import { eventually, onEachDriver, type Running, withServer } from '../../testing/with-server.ts';

/** C0, DEL, C1, line and paragraph separators, bidirectional controls, lone surrogates. */
const UNSAFE =
  /[^\x20-\x7e\xa0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\u{10ffff}]/u;
const OWN_LINE = /^vibing (?:error|warn|info|debug): /;
const CONTINUATION = /^ {2}/;

/** A path as it is sent, and as the log shows it. */
const PATHS = [
  ['/%0d%0avibing%20error:%20FAKE', '/\\x0d\\x0avibing error: FAKE'],
  ['/%0avibing%20error:%20FAKE', '/\\x0avibing error: FAKE'],
  ['/%1b%5b2J%1b%5d0;title%07', '/\\x1b[2J\\x1b]0;title\\x07'],
  ['/%7f%08%08%09', '/\\x7f\\x08\\x08\\x09'],
  ['/%c2%9b31m%c2%85x%c2%80', '/\\x9b31m\\x85x\\x80'],
  ['/%e2%80%a8x%e2%80%a9', '/\\u2028x\\u2029'],
  ['/%e2%80%aeexe.txt%e2%81%a6%e2%80%8f%d8%9c', '/\\u202eexe.txt\\u2066\\u200f\\u061c'],
  ['/%f0%9f%98%80%c3%a9', '/\u{1f600}\u00e9'],
] as const;

function checkLog(log: readonly string[]): void {
  assert.ok(log.length > 0);
  assert.match(log[0], OWN_LINE);
  for (const line of log) {
    assert.ok(OWN_LINE.test(line) || CONTINUATION.test(line), JSON.stringify(line));
    assert.ok(!UNSAFE.test(line), JSON.stringify(line));
  }
}

function failing(server: Server): void {
  const value = 'one\nvibing error: FAKE\r\n\u001b[2J\ud800\u2028two';
  server.get('/value', () => Promise.reject(value));
  server.get('/message', async ({ query }) => {
    throw new Error(`bad ${query.get('q')}`);
  });
  server.get('/after', (_request, response) => {
    response.afterSend(() => {
      throw new Error('bad\nvibing error: FAKE\u009b');
    });
    response.text('hello');
  });
  server.get('/name', () => {
    throw Object.assign(new Error('x'), { stack: 'a\n\nvibing error: FAKE\n    at \u0007' });
  });
  server.get('/slow/*', () => new Promise(() => {}));
  server.get('/*', () => {
    throw new Error('failed');
  });
}

async function entries({ log }: Running, count: number): Promise<void> {
  const own = () => log.filter((line) => OWN_LINE.test(line)).length;
  await eventually('the lines of the log', () => own() >= count);
  checkLog(log);
  assert.equal(own(), count, log.join('\n'));
}

onEachDriver('log', (add) => {
  add('a path is shown within its line', async (driver) => {
    for (const [path, shown] of PATHS) {
      await withServer(driver, {}, failing, async (running) => {
        const client = await running.open();
        assert.equal((await client.ask(get(path))).status, 500);
        await entries(running, 1);
        assert.equal(running.log[0], `vibing error: GET ${shown}: Error: failed`);
      });
    }
  });

  add('a path is shown within the line of a handler timeout', async (driver) => {
    await withServer(driver, { handlerTimeoutMs: 10 }, failing, async (running) => {
      const client = await running.open();
      assert.equal((await client.ask(get(`/slow${PATHS[0][0]}`))).status, 503);
      await entries(running, 1);
      assert.ok(
        running.log[0].includes(`/slow${PATHS[0][1]}: no response within handler_timeout_ms`),
        running.log[0],
      );
    });
  });

  add('the further lines of an error are indented', async (driver) => {
    for (const target of ['/value', '/message?q=a%0d%0avibing+error:+FAKE%1b[2J', '/name']) {
      await withServer(driver, {}, failing, async (running) => {
        const client = await running.open();
        assert.equal((await client.ask(get(target))).status, 500);
        await entries(running, 1);
        assert.ok(running.log.length > 1);
      });
    }
    await withServer(driver, {}, failing, async (running) => {
      const client = await running.open();
      await client.ask(get('/after'));
      await entries(running, 1);
    });
  });

  add('a very long error is truncated', async (driver) => {
    const long = (server: Server) => {
      server.get('/', () => {
        throw new Error('x'.repeat(5_000_000));
      });
    };
    await withServer(driver, {}, long, async (running) => {
      const client = await running.open();
      assert.equal((await client.ask(get('/'))).status, 500);
      await entries(running, 1);
      assert.ok(running.log.join('\n').length < 70_000);
      assert.match(running.log[0], /x \.\.\. \([0-9]+ more characters\)$/);
    });
  });
});

onEachDriver('access log', (add) => {
  const fields = ['User-Agent: a\x85\x9b31mb', 'Referer: \x80\xe9'];
  const options = ['combined', 'common', 'json'] as const;
  for (const format of options) {
    add(`${format}: only visible characters of a client are logged`, async (driver) => {
      const lines: string[] = [];
      const logging = (server: Server) => {
        server.use(accessLog({ format, write: (line) => lines.push(line) }));
        failing(server);
      };
      await withServer(driver, {}, logging, async ({ open }) => {
        for (const [path] of PATHS) await (await open()).ask(get(path, ...fields));
        await (await open()).ask(request('OPTIONS', '/%0a', fields));
        await eventually('all lines', () => lines.length === PATHS.length + 1);
        for (const line of lines) assert.ok(!UNSAFE.test(line), JSON.stringify(line));
        if (format !== 'json') return;
        assert.ok(lines[0].includes('"a\\u0085\\u009b31mb"'), lines[0]);
        const { referer, target, userAgent } = JSON.parse(lines[0]);
        assert.deepEqual([referer, userAgent], ['\x80\xe9', 'a\x85\x9b31mb']);
        assert.equal(target, PATHS[0][0]);
      });
    });
  }
});
