// The templates, lists of fields and files of accessLog().

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { reopenLogs } from '../../src/async-io/log-files.ts';
import { exchangeOf } from '../../src/exchange/request.ts';
import { type AccessLogOptions, accessLog } from '../../src/middleware/access-log.ts';
import type { LogField } from '../../src/middleware/log-entry.ts';
import { requestId } from '../../src/middleware/request-id.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';
import { eventually, onEachDriver, oneDriver, withServer } from '../../testing/with-server.ts';

const root = mkdtempSync(join(tmpdir(), 'vibing-access-'));
after(() => rmSync(root, { recursive: true }));

function routes(options: AccessLogOptions): (server: Server) => void {
  return (server) => {
    server.use(accessLog(options));
    server.use('/id', requestId({ generate: () => 'id-1' }));
    server.get('/', (_request, response) => response.text('hello'));
    server.get('/id', (_request, response) => response.text('hello'));
  };
}

onEachDriver(
  'accessLog, formats',
  (add) => {
    const TEMPLATES: readonly (readonly [string, string, readonly string[], string | RegExp])[] = [
      ['{method} {target} {status} {bytes}', '/', [], 'GET / 200 5'],
      ['{address}|{version}|{host}', '/', [], '127.0.0.1|1.1|a.test'],
      ['"{referer}" "{userAgent}"', '/', ['User-Agent: x y'], '"-" "x y"'],
      ['{requestId}', '/', [], '-'],
      ['id={requestId}', '/id', [], 'id=id-1'],
      ['{complete} {duration_ms}', '/', [], /^true \d+(\.\d{1,3})?$/],
      ['{time}', '/', [], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/],
      ['a {b c} {status}', '/', [], 'a {b c} 200'],
      ['"{userAgent}"', '/', ['User-Agent: " 200\\'], '"\\" 200\\\\"'],
      ['"{userAgent}"', '/', ['User-Agent: a\tb\xff'], '"a\\x09b\\xff"'],
      ['"{target}"', '/?{status}', [], '"/?{status}"'],
    ];
    add('a template', async (driver) => {
      for (const [format, target, fields, expected] of TEMPLATES) {
        const lines: string[] = [];
        const write = (line: string) => lines.push(line);
        await withServer(driver, {}, routes({ format, write }), async ({ open }) => {
          await (await open()).ask(get(target, ...fields));
          await eventually('a line', () => lines.length === 1);
          if (typeof expected === 'string') assert.equal(lines[0], expected, format);
          else assert.match(lines[0], expected, format);
        });
      }
    });

    add('makes no state for lines without a value of it', async (driver) => {
      for (const [options, makesState] of [
        [{}, false],
        [{ format: 'common' }, false],
        [{ format: '{method} {status} requestId' }, false],
        [{ format: 'json', fields: ['status', 'route'] }, false],
        [{ format: '{method} {requestId}' }, true],
        [{ format: 'json' }, true],
        [{ format: 'json', fields: ['status', 'requestId'] }, true],
      ] as const) {
        let state: object | null = null;
        const own = (server: Server) => {
          server.use(accessLog({ ...options, write: () => {} }));
          server.get('/', (request, response) => {
            state = exchangeOf(request).state;
            return response.text('hello');
          });
        };
        await withServer(driver, {}, own, async ({ open }) => {
          await (await open()).ask(get('/'));
          assert.equal(state !== null, makesState, JSON.stringify(options));
        });
      }
    });

    add('json with the fields of a list, in their order', async (driver) => {
      const lines: string[] = [];
      const options: AccessLogOptions = {
        format: 'json',
        fields: ['status', 'requestId', 'host', 'complete', 'target'],
        write: (line) => lines.push(line),
      };
      await withServer(driver, {}, routes(options), async ({ open }) => {
        const client = await open();
        await client.ask(get('/id'));
        await client.ask(get('/'));
        await eventually('two lines', () => lines.length === 2);
        assert.deepEqual(lines, [
          '{"status":200,"requestId":"id-1","host":"a.test","complete":true,"target":"/id"}',
          '{"status":200,"host":"a.test","complete":true,"target":"/"}',
        ]);
      });
    });

    add('json has the identifier of a request', async (driver) => {
      const lines: string[] = [];
      const options: AccessLogOptions = { format: 'json', write: (line) => lines.push(line) };
      await withServer(driver, {}, routes(options), async ({ open }) => {
        await (await open()).ask(get('/id'));
        await eventually('a line', () => lines.length === 1);
        assert.equal(JSON.parse(lines[0]).requestId, 'id-1');
      });
    });

    add('a file, which may be renamed', async (driver) => {
      const file = join(root, 'access.log');
      const format = '{target}';
      await withServer(driver, {}, routes({ file, format }), async ({ open, out }) => {
        const client = await open();
        await client.ask(get('/?1'));
        await eventually('a line', () => existsSync(file) && readFileSync(file, 'utf8') !== '');
        renameSync(file, `${file}.1`);
        reopenLogs();
        await client.ask(get('/?2'));
        await client.ask(get('/?3'));
        await client.ask(get('/?4'));
        assert.deepEqual(out, []);
      });
      // close() has written all lines.
      assert.equal(readFileSync(`${file}.1`, 'utf8'), '/?1\n');
      assert.equal(readFileSync(file, 'utf8'), '/?2\n/?3\n/?4\n');
    });
  },
  oneDriver(),
);

test('invalid formats, fields and files throw', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ format: '' }, /format is one of/],
    [{ format: 'short' }, /format is one of/],
    [{ format: '{}' }, /format is one of/],
    [{ format: '{state}' }, /no field "state"/],
    [{ format: '{toString}' }, /no field "toString"/],
    [{ format: '{statuss}' }, /did you mean status\?/],
    [{ format: '{status}\n{target}' }, /on one line/],
    [{ format: '{status} \u2028' }, /on one line/],
    [{ format: 5 }, /format is text/],
    [{ fields: ['status'] }, /those of the format 'json'/],
    [{ format: 'json', fields: [] }, /not empty/],
    [{ format: 'json', fields: ['nothing'] }, /no field "nothing"/],
    [{ format: 'json', fields: [5] }, /no field 5/],
    [{ file: '' }, /path of a file/],
    [{ file: 'a\0b' }, /path of a file/],
    [{ file: 'a', write: () => {} }, /not to both/],
    [{ write: 'x' }, /a function/],
  ];
  for (const [options, reason] of cases) {
    assert.throws(
      () => accessLog(options as AccessLogOptions),
      (error) => error instanceof TypeError && reason.test(error.message),
      JSON.stringify(options),
    );
  }
});

test('fields that the program adds to its list later are not logged', async () => {
  const lines: string[] = [];
  const fields: LogField[] = ['status'];
  const { server } = unlistenedServer();
  routes({ format: 'json', fields, write: (line) => lines.push(line) })(server);
  fields.push('target');
  await server.inject('/');
  await server.close();
  assert.deepEqual(lines, ['{"status":200}']);
});

test('a file is the one in the directory of its registration', async () => {
  const { server } = unlistenedServer();
  const before = process.cwd();
  process.chdir(root);
  try {
    routes({ file: 'relative.log', format: '{method} {status}' })(server);
  } finally {
    process.chdir(before);
  }
  const text = await (await server.inject('/')).text();
  assert.equal(text, 'hello');
  await server.close();
  const path = join(root, 'relative.log');
  const written = () => existsSync(path) && readFileSync(path, 'utf8') === 'GET 200\n';
  await eventually('the line is in the file', written);
  assert.equal(existsSync('relative.log'), false);
});

test('an asynchronous write() that fails is logged', async () => {
  const { log, server } = unlistenedServer();
  routes({ write: () => Promise.reject(new Error('the disk is full')) })(server);
  assert.equal(await (await server.inject('/')).text(), 'hello');
  await server.close();
  assert.match(log.join('\n'), /the disk is full/);
});
