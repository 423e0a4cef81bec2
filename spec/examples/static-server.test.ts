// The static server example as a process: files, listings, paths outside of its folder, its exit.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { childEnvironment, ROOT } from '../../testing/child-program.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { example, type Running, run, start } from '../../testing/program.ts';

leaveOutOfCoverage();

const script = example('static-server');
const timeout = 60_000;
const oddName = `odd & "name" <b> #1 100%.txt`;
const noise = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
let outside: string;
let directory: string;
let server: Running;

before(async () => {
  outside = mkdtempSync(join(tmpdir(), 'vibing-static-'));
  directory = join(outside, 'served');
  mkdirSync(join(directory, 'sub', 'empty'), { recursive: true });
  writeFileSync(join(outside, 'secret.txt'), 'secret');
  writeFileSync(join(directory, 'hello.txt'), 'hello\n');
  writeFileSync(join(directory, 'noise.bin'), noise);
  writeFileSync(join(directory, oddName), 'odd');
  writeFileSync(join(directory, 'sub', 'page.html'), '<p>page</p>');
  server = await start(script, ['127.0.0.1:0', directory]);
});

after(async () => {
  await server.stop();
  rmSync(outside, { recursive: true });
});

interface RawResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Sends the path unchanged: fetch would normalize it. */
async function ask(base: Running, path: string, method = 'GET'): Promise<RawResponse> {
  const { port } = base;
  const sent = request({ host: '127.0.0.1', port, path, method, agent: false });
  sent.setTimeout(timeout, () => sent.destroy(new Error('no response'))).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { statusCode: status = 0, headers } = response;
  return { status, headers, body: Buffer.concat(chunks) };
}

test('prints its real port', { timeout }, () => {
  assert.match(
    server.line,
    /^static server for .+ on http:\/\/127\.0\.0\.1:\d+\/ \(Ctrl-C stops it\)$/,
  );
  assert.notEqual(server.port, 0);
});

test('serves complete files with their type', { timeout }, async () => {
  const text = await ask(server, '/hello.txt');
  assert.equal(text.status, 200);
  assert.match(text.headers['content-type'] ?? '', /^text\/plain/);
  assert.equal(text.body.toString(), 'hello\n');
  const large = await ask(server, '/noise.bin');
  assert.equal(large.headers['content-length'], String(noise.length));
  assert.ok(large.body.equals(noise));
  const page = await ask(server, '/sub/page.html');
  assert.match(page.headers['content-type'] ?? '', /^text\/html/);
});

test('responds to HEAD without a body', { timeout }, async () => {
  const head = await ask(server, '/noise.bin', 'HEAD');
  assert.equal(head.status, 200);
  assert.equal(head.headers['content-length'], String(noise.length));
  assert.equal(head.body.length, 0);
});

test('lists folders with working links', { timeout }, async () => {
  const listing = await ask(server, '/');
  assert.equal(listing.status, 200);
  assert.match(listing.headers['content-type'] ?? '', /^text\/html/);
  const html = listing.body.toString();
  assert.ok(html.includes('hello.txt'));
  assert.ok(html.includes('noise.bin'));
  assert.ok(!html.includes('<b>'), 'names are escaped');
  const links = [...html.matchAll(/<a\b[^>]*\bhref="([^"]+)"/g)].map((match) => match[1] ?? '');
  const bodies: string[] = [];
  for (const link of links) {
    const target = new URL(link.replaceAll('&amp;', '&'), server.url);
    assert.equal(target.origin, new URL(server.url).origin);
    const response = await ask(server, target.pathname);
    assert.equal(response.status, 200, link);
    bodies.push(response.body.toString('latin1'));
  }
  assert.ok(bodies.includes('odd'), 'the oddly named file can be reached');
  assert.ok(bodies.includes('hello\n'));
});

test('redirects a folder without its slash', { timeout }, async () => {
  const response = await ask(server, '/sub');
  assert.ok(response.status === 301 || response.status === 308, String(response.status));
  assert.match(response.headers.location ?? '', /\/sub\/$/);
  assert.ok((await ask(server, '/sub/')).body.toString().includes('page.html'));
  assert.equal((await ask(server, '/sub/empty/')).status, 200);
});

test('serves nothing outside of its folder', { timeout }, async () => {
  const paths = ['/../secret.txt', '/%2e%2e/secret.txt', '/sub/../../secret.txt'];
  paths.push('/..%2fsecret.txt', '/sub/%2e%2e%2f%2e%2e%2fsecret.txt', '/..%5csecret.txt');
  for (const path of paths) {
    const response = await ask(server, path);
    assert.ok(response.status >= 400 && response.status < 500, `${path}: ${response.status}`);
    assert.ok(!response.body.includes('secret\n') && response.body.toString() !== 'secret', path);
  }
  assert.equal((await ask(server, '/missing.txt')).status, 404);
});

test('serves the sample site by default and ends with code 0', { timeout }, async () => {
  const site = await start(script, ['0']);
  try {
    const index = await ask(site, '/');
    assert.equal(
      index.body.toString(),
      readFileSync(join(ROOT, 'examples/site/index.html'), 'utf8'),
    );
    assert.equal((await ask(site, '/docs/')).status, 200);
    assert.match((await ask(site, '/fonts/')).body.toString(), /OFL\.txt/);
    assert.equal(
      (await ask(site, '/fonts/space-grotesk.woff2')).headers['content-type'],
      'font/woff2',
    );
    assert.match(
      (await ask(site, '/img/pool.svg')).headers['content-type'] ?? '',
      /^image\/svg\+xml/,
    );
    assert.match((await ask(site, '/js/main.js')).headers['content-type'] ?? '', /javascript/);
    assert.equal(await site.stop(), 0);
  } finally {
    await site.stop();
  }
});

test('has the options of serveStatic, with two workers', { timeout }, async () => {
  writeFileSync(join(directory, 'app.gmi'), '# app');
  writeFileSync(join(directory, 'data.txt'), 'data '.repeat(2_000));
  writeFileSync(join(directory, 'data.txt.gz'), 'a variant');
  writeFileSync(join(directory, '.dot'), 'dot');
  writeFileSync(join(directory, 'missing.html'), 'nothing here');
  const options = ['--no-listing', '--index', 'page.html,app.gmi', '--extensions', 'html,txt'];
  options.push('--precompressed', '--compress', '--cache-control', 'no-store', '--dotfiles');
  options.push('--headers', '{"*.txt": {"X-Kind": "text"}}', '--mime-types={"gmi":"text/gemini"}');
  options.push('--not-found', 'missing.html', '--symlinks', 'none', '--workers', '2');
  const other = await start(script, ['0', directory, ...options]);
  try {
    const index = await ask(other, '/');
    assert.deepEqual(
      [index.headers['content-type'], index.body.toString()],
      ['text/gemini', '# app'],
    );
    assert.equal(index.headers['cache-control'], 'no-store');
    assert.equal((await ask(other, '/sub/')).body.toString(), '<p>page</p>');
    const text = await ask(other, '/hello');
    assert.deepEqual([text.headers['x-kind'], text.body.toString()], ['text', 'hello\n']);
    assert.equal((await ask(other, '/.dot')).body.toString(), 'dot');
    const missing = await ask(other, '/sub/empty/');
    assert.deepEqual([missing.status, missing.body.toString()], [404, 'nothing here']);
    for (const [accepted, coding] of [
      ['gzip', 'gzip'],
      ['deflate', 'deflate'],
    ]) {
      const response = await fetch(new URL('/data.txt', other.url), {
        headers: { 'accept-encoding': accepted },
      });
      await response.body?.cancel();
      assert.equal(response.headers.get('content-encoding'), coding);
    }
    assert.equal(await other.stop(), 0);
  } finally {
    await other.stop();
  }
});

test('a single-page application, on all interfaces', { timeout }, async () => {
  const other = await start(script, ['0.0.0.0:0', directory, '--spa-page', 'missing.html']);
  try {
    assert.match(other.line, /on http:\/\/127\.0\.0\.1:\d+\//, 'an address that can be opened');
    const page = await fetch(new URL('/some/path', other.url), {
      headers: { accept: 'text/html' },
    });
    assert.deepEqual([page.status, await page.text()], [200, 'nothing here']);
    assert.equal(await other.stop(), 0);
  } finally {
    await other.stop();
  }
});

test('prints errors in one line', { timeout }, async () => {
  const missing = join(directory, 'missing');
  const file = join(directory, 'hello.txt');
  for (const args of [
    ['nonsense'],
    ['0', missing],
    ['0', file],
    ['0', directory, 'more'],
    ['-x'],
    ['--listing=yes'],
    ['--workers', '0'],
    ['--headers', '{'],
    ['--headers', '{"a": 1}'],
    ['--symlinks', 'some'],
    ['--extensions', '../x'],
    ['--index', 'a/b'],
  ]) {
    const { code, out, problems } = await run(script, args);
    assert.equal(code, 2, args.join(' '));
    assert.equal(out, '');
    assert.match(problems, /^[^\n]+\n$/);
  }
  const [{ problems: noFolder }, { problems: dotted }] = await Promise.all([
    run(script, ['0', file]),
    run(script, ['0', directory, '--extensions', 'txt,.html']),
  ]);
  assert.match(noFolder, /: it is not a directory\n$/);
  assert.match(dotted, /^--extensions: [^\n]+ given "txt,\.html"\n$/);
});

test('ends in order when a terminal signals all of its processes', {
  timeout,
  skip: process.platform === 'win32' && 'no groups of processes',
}, async () => {
  for (const name of ['static-server', 'web-server']) {
    const child = spawn(process.execPath, [example(name), '0', '--workers', '2'], {
      cwd: ROOT,
      env: childEnvironment(),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let problems = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      problems += text;
    });
    const closed = once(child, 'close');
    await once(child.stdout, 'data');
    process.kill(-(child.pid ?? 0), 'SIGINT');
    assert.deepEqual(await closed, [0, null], problems);
    assert.match(problems, /worker \d served/);
    assert.doesNotMatch(problems, /replacement/, name);
  }
});

test('has --help', { timeout }, async () => {
  const { code, out, problems } = await run(script, ['--help']);
  assert.equal(code, 0);
  assert.match(out, /^usage: static-server \[address\] \[directory\] \[options\]\n/);
  assert.equal(problems, '');
});
