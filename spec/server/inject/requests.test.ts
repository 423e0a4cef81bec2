// server.inject(): what is sent of the request that a test describes, and what is refused.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import type { Request } from '../../../src/exchange/request.ts';
import type { Server } from '../../../src/server/server.ts';
import { unlistenedServer } from '../../../testing/unlistened-server.ts';
import { eventually } from '../../../testing/with-server.ts';

const TIMEOUT_MS = 20_000;

/** Responds with what it received. */
function mirror(): Server {
  const { server } = unlistenedServer();
  return server.all('/*', async (req, res) => {
    const { method, target, path } = req;
    res.json({ method, target, path, headers: [...req.headers()], body: await bodyOf(req) });
  });
}

async function bodyOf(req: Request): Promise<string> {
  return Buffer.from(await req.bytes()).toString('latin1');
}

interface Mirrored {
  readonly method: string;
  readonly target: string;
  readonly path: string;
  readonly headers: readonly [string, string][];
  readonly body: string;
}

type Options = Parameters<Server['inject']>[0];

async function sent(options: Options): Promise<Mirrored> {
  const response = await mirror().inject(options);
  assert.equal(response.status, 200, await response.text());
  return (await response.json()) as Mirrored;
}

function fieldsOf({ headers }: Mirrored): Record<string, string> {
  return Object.fromEntries(headers);
}

async function refused(options: unknown, message: RegExp): Promise<void> {
  const handled: string[] = [];
  const { server } = unlistenedServer();
  server.all('/*', (req, res) => {
    handled.push(req.target);
    res.empty();
  });
  await assert.rejects(
    () => server.inject(options as Options),
    (error) => {
      assert.ok(error instanceof TypeError, String(error));
      assert.match(error.message, message);
      return true;
    },
  );
  assert.deepEqual(handled, [], 'nothing was sent');
}

describe('an injected request', { timeout: TIMEOUT_MS }, () => {
  it('is a GET of / without options', async () => {
    const got = await sent({});
    assert.deepEqual([got.method, got.target, got.body], ['GET', '/', '']);
    assert.deepEqual(got.headers, [['host', 'localhost']]);
    assert.equal((await sent('/a?b')).target, '/a?b');
    assert.equal((await mirror().inject()).status, 200);
  });

  it('has the target as it is given', async () => {
    const paths = {
      '/a/../b': '/b',
      '/%2e%2e/etc/passwd': '/etc/passwd',
      '//x//y': '/x/y',
      '/..%2fx': '/..%2Fx',
      'http://other/z?q#': null,
      'http://other/z': '/z',
    };
    for (const [target, path] of Object.entries(paths)) {
      const response = await mirror().inject(target);
      if (path === null) {
        assert.equal(response.status, 400, target);
        continue;
      }
      const got = (await response.json()) as Mirrored;
      assert.deepEqual([got.target, got.path], [target, path]);
    }
  });

  it('may be one that the server rejects', async () => {
    for (const target of ['/a b', 'nonsense', '/é', '/\t']) {
      assert.equal((await mirror().inject(target)).status, 400, target);
    }
    const long = await mirror().inject(`/${'x'.repeat(100_000)}`);
    assert.equal(long.status, 414);
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`x-${at}`, 'v']));
    assert.equal((await mirror().inject({ headers: many })).status, 431);
    assert.equal((await mirror().inject({ headers: { host: 'a b' } })).status, 400);
    assert.equal(
      (
        await mirror().inject({
          headers: [
            ['Host', 'a'],
            ['host', 'b'],
          ],
        })
      ).status,
      400,
    );
  });

  it('has any method', async () => {
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'PURGE', 'get']) {
      assert.equal((await sent({ method })).method, method);
    }
    assert.equal(fieldsOf(await sent({ method: 'DELETE' }))['content-length'], undefined);
    assert.equal(fieldsOf(await sent({ method: 'POST' }))['content-length'], '0');
  });

  it('has the fields of an object, of pairs and of Headers', async () => {
    const object = await sent({ headers: { 'X-A': 'b', n: 7, list: ['c', 'd'], Host: 'h:1' } });
    assert.deepEqual(object.headers, [
      ['x-a', 'b'],
      ['n', '7'],
      ['list', 'c'],
      ['list', 'd'],
      ['host', 'h:1'],
    ]);
    const pairs = await sent({
      headers: [
        ['a', '1'],
        ['a', '2'],
        ['b', 'é'],
      ],
    });
    assert.deepEqual(pairs.headers.slice(1), [
      ['a', '1'],
      ['a', '2'],
      ['b', 'é'],
    ]);
    const headers = await sent({ headers: new Headers({ a: '1' }) });
    assert.equal(fieldsOf(headers)['a'], '1');
  });

  it('cannot become two requests', async () => {
    const split = 'x\r\n\r\nGET /second HTTP/1.1';
    await refused({ headers: { a: split } }, /cannot contain character 13/);
    await refused({ headers: { a: 'b\nc' } }, /cannot contain character 10/);
    await refused({ headers: { a: ['b', 'c\0'] } }, /cannot contain character 0/);
    await refused({ headers: { [split]: 'a' } }, /must be an HTTP token/);
    await refused({ headers: { '': 'a' } }, /must be an HTTP token/);
    await refused({ method: `GET / HTTP/1.1\r\n` }, /method is a method/);
    await refused({ method: 'GET /x' }, /method is a method/);
    await refused({ target: split }, /target is a string without line ends/);
    await refused({ target: '' }, /target is a string/);
    await refused({ headers: { 'Content-Length': 3 }, body: 'four' }, /content-length itself/);
    await refused({ headers: { 'content-length': '4' } }, /content-length itself/);
    await refused({ headers: { 'Transfer-Encoding': 'chunked' } }, /transfer-encoding itself/);
    const right = await sent({ method: 'PUT', headers: { 'Content-Length': '4' }, body: 'four' });
    assert.equal(right.body, 'four');
    assert.equal(right.headers.filter(([name]) => name === 'content-length').length, 1);
  });

  it('takes known options only', async () => {
    await refused({ url: '/' }, /no option "url"/);
    await refused({ headers: 'a: b' }, /headers is an object/);
    await refused({ headers: { a: undefined } }, /header a is a string, a number or a list/);
    await refused({ body: 'a', json: 1 }, /body or json, not both/);
    await refused({ json: () => 1 }, /json cannot be undefined or a function/);
    await refused({ body: 5 }, /body is text, bytes, a form or a stream, given 5; json takes/);
    await refused({ body: { a: 1 } }, /given an object; json takes other values/);
    await refused({ remotePort: -1 }, /remotePort is a port/);
    await refused([], /plain object/);
  });

  it('has the address of its client', async () => {
    const { server } = unlistenedServer();
    server.get('/', (req, res) => res.json([req.remoteAddress, req.remotePort]));
    assert.deepEqual(await (await server.inject('/')).json(), ['127.0.0.1', 50_000]);
    const other = await server.inject({ remoteAddress: '2001:db8::1', remotePort: 9 });
    assert.deepEqual(await other.json(), ['2001:db8::1', 9]);
  });
});

describe('the body of an injected request', { timeout: TIMEOUT_MS }, () => {
  const post = { method: 'POST' } as const;

  it('has a length and a type where these are known', async () => {
    const cases: [
      body: NonNullable<Options & object>,
      length: string,
      type: string | undefined,
      text: string,
    ][] = [
      [{ ...post, body: 'aé' }, '3', 'text/plain;charset=UTF-8', 'aÃ©'],
      [{ ...post, body: Buffer.from('abc') }, '3', undefined, 'abc'],
      [{ ...post, body: new Uint8Array([97, 98]).buffer }, '2', undefined, 'ab'],
      [{ ...post, json: { a: ['é'] } }, '12', 'application/json', '{"a":["Ã©"]}'],
      [{ ...post, json: null }, '4', 'application/json', 'null'],
      [{ ...post, body: '' }, '0', 'text/plain;charset=UTF-8', ''],
      [
        { ...post, body: new URLSearchParams({ a: 'b c' }) },
        '5',
        'application/x-www-form-urlencoded;charset=UTF-8',
        'a=b+c',
      ],
      [{ ...post, body: new Blob(['xy'], { type: 'text/csv' }) }, '2', 'text/csv', 'xy'],
      [{ ...post, body: 'x', headers: { 'content-type': 'a/b' } }, '1', 'a/b', 'x'],
    ];
    for (const [options, length, type, text] of cases) {
      const got = await sent(options);
      const fields = fieldsOf(got);
      assert.deepEqual(
        [fields['content-length'], fields['content-type'], got.body],
        [length, type, text],
      );
    }
  });

  it('may be a form', async () => {
    const { server } = unlistenedServer();
    server.post('/', async (req, res) => {
      const form = await req.form();
      const file = form.get('file') as File;
      res.json([form.get('name'), file.name, await file.text()]);
    });
    const body = new FormData();
    body.set('name', 'value');
    body.set('file', new File(['content'], 'a.txt'));
    const response = await server.inject({ ...post, target: '/', body });
    assert.deepEqual(await response.json(), ['value', 'a.txt', 'content']);
  });

  it('may be a source of chunks', async () => {
    async function* chunks(): AsyncGenerator<string | Uint8Array> {
      yield 'a';
      yield '';
      yield new Uint8Array([98]);
    }
    const web = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array([99]));
        controller.close();
      },
    });
    for (const [body, text] of [
      [chunks(), 'ab'],
      [['x', 'y'], 'xy'],
      [Readable.from([Buffer.from('r')]), 'r'],
      [web, 'c'],
      [[], ''],
    ] as const) {
      const got = await sent({ ...post, body });
      assert.equal(got.body, text);
      assert.equal(fieldsOf(got)['transfer-encoding'], 'chunked');
    }
  });

  it('waits for the server to read it', async () => {
    const { server } = unlistenedServer();
    let produced = 0;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.post('/', async (req, res) => {
      await released;
      res.text(String((await req.bytes()).length));
    });
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (; produced < 300; produced++) yield new Uint8Array(1024);
    }
    const pending = server.inject({ ...post, target: '/', body: chunks() });
    let before = -1;
    while (before !== produced || produced === 0) {
      before = produced;
      for (let round = 0; round < 20; round++) await new Promise((done) => setImmediate(done));
    }
    assert.ok(produced < 200, `${produced} chunks before the server reads`);
    release();
    assert.equal(await (await pending).text(), String(300 * 1024));
    assert.equal(produced, 300);
  });

  it('sends many megabytes of a known length', async () => {
    const { server } = unlistenedServer();
    server.post('/', async (req, res) => {
      let sum = 0;
      for await (const chunk of req.body) for (const byte of chunk) sum += byte;
      res.text(String(sum));
    });
    const body = new Uint8Array(3_000_000).fill(1);
    const response = await server.inject({ ...post, target: '/', body });
    assert.equal(await response.text(), '3000000');
  });

  it('is that of the call, whatever becomes of its memory', async () => {
    const bytes = Buffer.from('before');
    const buffer = new Uint8Array(bytes).buffer;
    const both = [bytes, buffer].map((body) => sent({ ...post, body }));
    bytes.fill('x');
    new Uint8Array(buffer).fill(120);
    for (const { body } of await Promise.all(both)) assert.equal(body, 'before');
  });

  it('is cancelled when the request is refused before it is sent', async () => {
    const { server } = unlistenedServer();
    const cancelled: string[] = [];
    const body = (): ReadableStream<Uint8Array> => {
      return new ReadableStream({
        cancel: () => {
          cancelled.push('cancelled');
        },
      });
    };
    const headers = { 'Transfer-Encoding': 'gzip' };
    await assert.rejects(() => server.inject({ ...post, headers, body: body() }), TypeError);
    assert.equal(cancelled.length, 1);
  });

  it('that fails breaks the connection', async () => {
    const { server } = unlistenedServer();
    const seen: string[] = [];
    server.post('/', async (req, res) => {
      const failed = await req.bytes().catch((error: Error) => error.message);
      seen.push(String(failed));
      res.empty();
    });
    async function* chunks(): AsyncGenerator<string> {
      yield 'a';
      throw new Error('the disk is gone');
    }
    const options = { ...post, target: '/' };
    await assert.rejects(() => server.inject({ ...options, body: chunks() }), /the disk is gone/);
    const wrong = [5] as unknown as string[];
    await assert.rejects(
      () => server.inject({ ...options, body: wrong }),
      /yields strings or bytes/,
    );
    await eventually('both handlers know', () => seen.length === 2);
    assert.match(seen[0], /closed|reset|complete/);
  });

  it('is cancelled when the response comes first', async () => {
    const { server } = unlistenedServer({ bodyBytesMax: 10 });
    server.post('/', async (req, res) => res.send(await req.bytes()));
    let returned = false;
    async function* endless(): AsyncGenerator<string> {
      try {
        for (;;) {
          yield 'x'.repeat(100);
          await new Promise((done) => setImmediate(done));
        }
      } finally {
        returned = true;
      }
    }
    const response = await server.inject({ ...post, target: '/', body: endless() });
    assert.equal(response.status, 413);
    for (let round = 0; round < 100 && !returned; round++) {
      await new Promise((done) => setImmediate(done));
    }
    assert.ok(returned);
    let cancelled = false;
    const quiet = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new Uint8Array(100)),
      cancel() {
        cancelled = true;
      },
    });
    assert.equal((await server.inject({ ...post, target: '/', body: quiet })).status, 413);
    await eventually('a source that has nothing now is cancelled, too', () => cancelled);
  });
});
