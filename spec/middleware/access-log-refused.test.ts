// The lines of accessLog() for requests that are refused before any middleware runs, on connections
// in memory.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REFUSED_LINE_BYTES_MAX } from '../../src/base/fixed-limits.ts';
import { type AccessLogOptions, accessLog } from '../../src/middleware/access-log.ts';
import type { Group } from '../../src/server/group.ts';
import {
  ConnectionFixture,
  type FixtureOptions,
  get,
  post,
} from '../../testing/connection-fixture.ts';
import { unlistenedServer } from '../../testing/unlistened-server.ts';

const LIMITS = { targetBytesMax: 300, fieldsMax: 4, streamBytesMax: 100, bodyBytesMax: 100 };
const LINE = '"{method}|{target}|{version}" {status} {bytes} {fault} {complete}';

interface Logged {
  readonly fixture: ConnectionFixture;
  readonly lines: string[];
}

function logged(options: AccessLogOptions = { format: LINE }, more: FixtureOptions = {}): Logged {
  const fixture = new ConnectionFixture((_request, response) => response.text('hello'), {
    ...more,
    limits: { ...LIMITS, ...more.limits },
  });
  const lines: string[] = [];
  fixture.group.use(accessLog({ ...options, write: (line) => lines.push(line) }));
  return { fixture, lines };
}

/** What the log has of some bytes of one client. */
async function linesOf(sent: string, options?: AccessLogOptions): Promise<string[]> {
  const { fixture, lines } = logged(options);
  const client = fixture.open();
  client.give(sent);
  client.finish();
  await client.read();
  await fixture.end();
  return lines;
}

const REFUSED: readonly (readonly [string, string])[] = [
  ['GET /a HTTP/1.1\r\n\r\n', '"GET|/a|1.1" 400 12 missing_host true'],
  ['GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', '"GET|/a|1.1" 400 12 bad_host true'],
  ['BREW /a HTTP/1.0\r\nA b: c\r\n\r\n', '"BREW|/a|1.0" 400 12 bad_field_name true'],
  ['HEAD /a HTTP/1.1\r\n\r\n', '"HEAD|/a|1.1" 400 0 missing_host true'],
  [get('/a', 'A: 1', 'B: 2', 'C: 3', 'D: 4'), '"GET|/a|1.1" 431 32 too_many_fields true'],
  [post('/a', 101), '"POST|/a|1.1" 413 18 body_too_large true'],
  [get('/a', 'Expect: x'), '"GET|/a|1.1" 417 19 bad_expectation true'],
  [get('/a', 'Transfer-Encoding: x, chunked'), '"GET|/a|1.1" 501 16 unknown_transfer_coding true'],
  ['GET /a HTTP/1.1\r\nHos', '"GET|/a|1.1" 400 12 incomplete true'],
  ['GET /a b HTTP/1.1\r\n\r\n', '"-|GET /a b HTTP/1.1|-" 400 12 bad_version true'],
  ['\r\nGET a HTTP/1.1\r\n\r\n', '"-|GET a HTTP/1.1|-" 400 12 bad_target true'],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n', '"-|PRI * HTTP/2.0|-" 400 12 bad_target true'],
  ['GET / HTTP/2.0\r\n\r\n', '"-|GET / HTTP/2.0|-" 505 27 unsupported_version true'],
  ['\x16\x03\x01"\\', '"-|\\x16\\x03\\x01\\"\\\\|-" 400 12 bad_request_line true'],
  ['\n', '"-|-|-" 400 12 bare_line_feed true'],
];

describe('a refused request', () => {
  for (const [sent, line] of REFUSED) {
    it(`has a line: ${JSON.stringify(sent)}`, async () => {
      assert.deepEqual(await linesOf(sent), [line]);
    });
  }

  it('has a line in every format', async () => {
    const missing = 'GET /a HTTP/1.1\r\nUser-Agent: x\r\n\r\n';
    const [combined] = await linesOf(missing, {});
    assert.match(
      combined ?? '',
      /^192\.0\.2\.1 - - \[[^\]]+\] "GET \/a HTTP\/1\.1" 400 12 "-" "-"$/,
    );
    const [common] = await linesOf('x y', { format: 'common' });
    assert.match(common ?? '', /^192\.0\.2\.1 - - \[[^\]]+\] "x y" 400 12$/);
    const [blank] = await linesOf('\n', { format: 'common' });
    assert.match(blank ?? '', /\] "-" 400 12$/);
    const [json] = await linesOf(missing, { format: 'json' });
    const { time, duration_ms: durationMs, ...rest } = JSON.parse(json ?? '');
    assert.equal(typeof time, 'string');
    assert.equal(durationMs, 0);
    const request = { address: '192.0.2.1', method: 'GET', target: '/a', version: '1.1' };
    const response = { status: 400, bytes: 12, fault: 'missing_host' };
    assert.deepEqual(rest, { ...request, referer: '', userAgent: '', ...response });
    const fields = { format: 'json', fields: ['fault', 'status'] } as const;
    assert.deepEqual(await linesOf(missing, fields), ['{"fault":"missing_host","status":400}']);
    assert.deepEqual(await linesOf(get('/'), fields), ['{"status":200}']);
  });

  it('has as much of an invalid line as fits, and of the head only its first line', async () => {
    const format = '{target}';
    const long = `GET /${'a'.repeat(400)} HTTP/1.1\r\n`;
    assert.deepEqual(await linesOf(long, { format }), [long.slice(0, REFUSED_LINE_BYTES_MAX)]);
    const secret = 'GET / HTTP/9\r\nAuthorization: Basic c2VjcmV0\r\n\r\n';
    assert.deepEqual(await linesOf(secret, { format }), ['GET / HTTP/9']);
  });

  it('has a line after those of the requests before it, on its connection', async () => {
    const sent = `${get('/1')}${get('/2')}GET /3 HTTP/1.1\r\n\r\n${get('/4')}`;
    assert.deepEqual(await linesOf(sent, { format: '{target} {status}' }), [
      '/1 200',
      '/2 200',
      '/3 400',
    ]);
  });

  it('has nothing of another client, whose record it uses again', async () => {
    const { fixture, lines } = logged();
    const first = fixture.open();
    await first.ask('GET /first HTTP/1.1\r\n\r\n');
    first.breakOff();
    const second = fixture.open();
    await second.ask('\x00');
    second.breakOff();
    await fixture.end();
    assert.deepEqual(lines, [
      '"GET|/first|1.1" 400 12 missing_host true',
      '"-|\\x00|-" 400 12 bad_request_line true',
    ]);
  });

  it('that is too slow has a line; an idle connection has none', async () => {
    const { fixture, lines } = logged({ format: LINE }, { limits: { headTimeoutMs: 1_000 } });
    const slow = fixture.open();
    const idle = fixture.open();
    slow.send('GET /slow HTTP/1.1\r\nHo');
    fixture.pass(1_000);
    await slow.read();
    fixture.pass(fixture.limits.connectionTimeoutMs);
    await idle.read();
    await fixture.end();
    assert.deepEqual(lines, ['"GET|/slow|1.1" 408 16 head_timeout true']);
  });

  it('of a client that leaves has a line without the bytes that it did not take', async () => {
    const { fixture, lines } = logged();
    const client = fixture.open();
    client.send('GET /a HTTP/1.1\r\n\r\n');
    assert.deepEqual(lines, [], 'it is sent first');
    client.breakOff();
    await fixture.end();
    assert.deepEqual(lines, ['"GET|/a|1.1" 400 0 missing_host false']);
  });

  it('is handled, and has the line of its response, where its body is not valid', async () => {
    const { fixture, lines } = logged({ format: '{target} {status} {fault}' });
    const client = fixture.open();
    await client.ask('POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n');
    await fixture.end();
    assert.deepEqual(lines, ['/a 200 -']);
  });

  it('is logged by middleware that covers every path, and by no other', async () => {
    const { fixture, lines } = logged({ format: 'all {status}' });
    const add = (group: Group, name: string): unknown =>
      group.use(accessLog({ format: `${name} {status}`, write: (line) => lines.push(line) }));
    const { group } = fixture;
    group.use('/below', accessLog({ format: '{status}', write: (line) => lines.push(line) }));
    group.group('/group', (inner) => void add(inner, 'group'));
    group.group('/', (inner) => void add(inner, 'root'));
    const client = fixture.open();
    await client.ask('x\n');
    await fixture.end();
    assert.deepEqual(lines, ['all 400', 'root 400']);
  });

  it('is logged where the callback fails, and the error is', async () => {
    const { fixture } = logged();
    fixture.group.use(accessLog({ write: () => assert.fail('no room') }));
    const later = async (): Promise<void> => assert.fail('no room later');
    fixture.group.use(accessLog({ write: later as () => void }));
    const client = fixture.open();
    assert.match(await client.ask('x\n'), /^HTTP\/1\.1 400 /);
    await fixture.end();
    assert.equal(fixture.errorLines.length, 2);
    for (const line of fixture.errorLines) assert.match(line, /no room/);
  });

  it('without an access log has the same response, and no callbacks', async () => {
    const fixture = new ConnectionFixture((_request, response) => response.text('hello'));
    const client = fixture.open();
    assert.match(await client.ask('x\n'), /^HTTP\/1\.1 400 [\s\S]*Bad Request\n$/);
    await fixture.end();
  });
});

describe('a server', () => {
  it('logs refused requests to standard output by its key, also injected ones', async () => {
    const { server, out } = unlistenedServer({ accessLog: true, headBytesMax: 1_024 });
    const headers = { 'X-Long': 'a'.repeat(2_000) };
    assert.equal((await server.inject({ target: '/long', headers })).status, 431);
    await server.close();
    assert.equal(out.length, 1);
    assert.match(out[0], /^127\.0\.0\.1 - - \[[^\]]+\] "GET \/long HTTP\/1\.1" 431 32 "-" "-"$/);
  });
});
