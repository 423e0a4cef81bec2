// The web server example as a process with two workers: its page and forms, uploads, its API, its
// event stream, its exit.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { example, type Running, run, start } from '../../testing/program.ts';
import { eventually } from '../../testing/with-server.ts';

leaveOutOfCoverage();

const script = example('web-server');
const timeout = 60_000;
let server: Running;
let directory = '';

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'vibing-web-test-'));
  server = await start(script, ['127.0.0.1:0', '--workers', '2', '--directory', directory]);
});

after(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

function call(method: string, path: string, body?: unknown): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(new URL(path, server.url), {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    body: body === undefined ? null : text,
    signal: AbortSignal.timeout(timeout),
  });
}

/** Reads a stream until `enough` returns true; returns the text so far. */
async function readUntil(response: IncomingMessage, enough: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (enough.test(text)) return text;
  }
  return assert.fail(`the stream ended at ${JSON.stringify(text)}`);
}

test('prints its real port', { timeout }, () => {
  assert.match(server.line, /^web server on http:\/\/127\.0\.0\.1:\d+\/ \(Ctrl-C stops it\)$/);
  assert.notEqual(server.port, 0);
});

test('serves its page, compressed, with security headers, and its assets', {
  timeout,
}, async () => {
  const response = await call('GET', '/');
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(response.headers.get('content-encoding') ?? '', /^(br|gzip|deflate)$/);
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'self'/);
  const html = await response.text();
  assert.match(html, /<h1>Notes and files<\/h1>[\s\S]*<\/html>\n$/);
  const assets = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  assert.equal(assets.length, 3);
  for (const path of assets) {
    const asset = await call('GET', path);
    assert.equal(asset.status, 200, path);
    assert.equal(asset.headers.get('cache-control'), 'no-cache', path);
    await asset.arrayBuffer();
  }
  assert.doesNotMatch(html, /<(script|style)>|style="|onclick/, 'nothing inline, by the policy');
});

test('responds with the time', { timeout }, async () => {
  const response = await call('GET', '/api/time');
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  const body = (await response.json()) as { now: string };
  assert.equal(new Date(body.now).toISOString(), body.now);
});

interface Note {
  readonly id: string;
  readonly text: string;
  readonly createdMs: number;
}

async function notes(): Promise<readonly Note[]> {
  return (await (await call('GET', '/api/notes')).json()) as readonly Note[];
}

async function texts(): Promise<readonly string[]> {
  return (await notes()).map(({ text }) => text);
}

test('creates, lists and deletes notes', { timeout }, async () => {
  assert.deepEqual(await notes(), []);
  const made: Note[] = [];
  for (const text of ['first', 'Grüße, 世界', '<b>"&"</b>']) {
    const response = await call('POST', '/api/notes', { text });
    assert.equal(response.status, 201);
    const note = (await response.json()) as Note;
    assert.equal(response.headers.get('location'), `/api/notes/${note.id}`);
    assert.equal(note.text, text);
    made.push(note);
  }
  // Each request is on a connection of its own: both workers have all notes.
  for (let count = 0; count < 8; count++) assert.deepEqual(await notes(), made);
  assert.equal((await call('DELETE', `/api/notes/${made[1].id}`)).status, 204);
  const again = await call('DELETE', `/api/notes/${made[1].id}`);
  assert.equal(again.status, 404);
  assert.match(await again.text(), /no such note/);
  assert.equal((await call('DELETE', '/api/notes/..%2f..%2fx')).status, 404);
  assert.deepEqual(await texts(), ['first', '<b>"&"</b>']);
  const page = await (await call('GET', '/')).text();
  assert.ok(page.includes('&#60;b&#62;&#34;&#38;&#34;&#60;/b&#62;') && !page.includes('<b>'));
});

/** Sends a form as a browser without JavaScript does. */
function send(path: string, body: URLSearchParams | FormData, site = 'same-origin') {
  const headers = { 'sec-fetch-site': site };
  const signal = AbortSignal.timeout(timeout);
  return fetch(new URL(path, server.url), {
    method: 'POST',
    headers,
    body,
    redirect: 'manual',
    signal,
  });
}

test('keeps and removes notes by forms', { timeout }, async () => {
  const before = await texts();
  const kept = await send('/notes', new URLSearchParams({ text: ' by form ' }));
  assert.deepEqual([kept.status, kept.headers.get('location')], [303, '/']);
  assert.deepEqual(await texts(), [...before, 'by form']);
  const { id } = (await notes()).at(-1) ?? { id: '' };
  const page = await (await call('GET', '/')).text();
  assert.ok(page.includes(`action="/notes/${id}/delete"`));
  assert.equal((await send(`/notes/${id}/delete`, new URLSearchParams())).status, 303);
  assert.deepEqual(await texts(), before);
  assert.equal((await send('/notes', new URLSearchParams({ text: '' }))).status, 400);
  const other = await send('/notes', new URLSearchParams({ text: 'evil' }), 'cross-site');
  assert.equal(other.status, 403);
  assert.deepEqual(await texts(), before);
});

function formOf(...files: readonly (readonly [name: string, content: Uint8Array | string])[]) {
  const form = new FormData();
  for (const [name, content] of files) form.append('file', new Blob([content]), name);
  return form;
}

test('keeps uploaded files, and only has them saved', { timeout }, async () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
  const name = `<i>'ünicode'</i> ..;x.html`;
  assert.equal((await send('/files', formOf([name, bytes], ['empty.txt', '']))).status, 303);
  const page = await (await call('GET', '/lists')).text();
  const [first, second, ...more] = [...page.matchAll(/href="(\/files\/[\w-]+)"/g)];
  assert.equal(more.length, 0);
  assert.ok(page.includes('293.0 KiB') && !page.includes('<i>'), page);
  const saved = await call('GET', first[1]);
  assert.equal(saved.headers.get('content-type'), 'application/octet-stream');
  assert.match(saved.headers.get('content-disposition') ?? '', /^attachment; filename=/);
  assert.ok(Buffer.from(await saved.arrayBuffer()).equals(bytes));
  assert.equal(await (await call('GET', second[1])).text(), '');
  for (const [, path] of [first, second]) {
    assert.equal((await send(`${path}/delete`, new URLSearchParams())).status, 303);
    assert.equal((await call('GET', path)).status, 404);
  }
  assert.deepEqual(readdirSync(join(directory, 'files')), []);
});

test('a form with too many or too large files leaves nothing', { timeout }, async () => {
  const many = Array.from({ length: 6 }, (_, index) => [`${index}.txt`, 'x'] as const);
  const large = [['a', 'x'] as const, ['large', Buffer.alloc(20 * 1024 * 1024 + 1)] as const];
  for (const files of [many, large]) {
    // A server that refuses a body closes its connection, which the client may see first.
    const status = await send('/files', formOf(...files)).then(
      (response) => response.status,
      () => 413,
    );
    assert.equal(status, 413);
  }
  await eventually('the files are removed', () => {
    return readdirSync(join(directory, 'files')).length === 0;
  });
  // An empty field, as of a form without a chosen file.
  assert.equal((await send('/files', formOf(['', '']))).status, 303);
  assert.deepEqual(readdirSync(join(directory, 'files')), []);
});

test('rejects invalid notes', { timeout }, async () => {
  const kept = await (await call('GET', '/api/notes')).json();
  const bad = ['{"text": 1}', '{"text": " "}', '{}', 'null', '[]', '{"text":', ''];
  bad.push(JSON.stringify({ text: 'x'.repeat(201) }));
  for (const body of bad) {
    const response = await call('POST', '/api/notes', body);
    assert.equal(response.status, 400, body);
    const text = await response.text();
    assert.doesNotMatch(text, /at .*\.js:\d+/, 'no stack in a response');
  }
  assert.deepEqual(await (await call('GET', '/api/notes')).json(), kept);
});

test('responds to unknown paths and methods', { timeout }, async () => {
  assert.equal((await call('GET', '/api/nothing')).status, 404);
  const wrong = await call('PUT', '/api/time');
  assert.equal(wrong.status, 405);
  assert.match(wrong.headers.get('allow') ?? '', /GET/);
});

test('lets other origins use the API', { timeout }, async () => {
  const headers = { origin: 'http://example.test' };
  const response = await fetch(new URL('/api/time', server.url), { headers });
  assert.equal(response.headers.get('access-control-allow-origin'), '*');
  await response.arrayBuffer();
  const page = await fetch(server.url, { headers });
  assert.equal(page.headers.get('access-control-allow-origin'), null);
  await page.arrayBuffer();
  const sent = { method: 'POST', headers, body: '{"text":"evil"}' };
  assert.equal((await fetch(new URL('/api/notes', server.url), sent)).status, 403, 'by csrf()');
});

test('streams the time, and changes by other workers, as events', { timeout }, async () => {
  const request = get(new URL('/api/stream', server.url), { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  assert.match(response.headers['content-type'] ?? '', /^text\/event-stream/);
  const text = await readUntil(response, /event: ?time[\s\S]*event: ?time[\s\S]*\n\n/);
  const events = text.split('\n\n').filter((block) => /^event: ?time$/m.test(block));
  assert.ok(events.length >= 2);
  for (const event of events) assert.match(event, /^data: ?\d{4}-\d\d-\d\dT[\d:.]+Z$/m);
  // Several connections: both workers get some of them.
  let seen = '';
  const reading = readUntil(response, /event: ?change\n/).then((more) => {
    seen = more;
  });
  for (let count = 0; count < 6; count++) {
    await send('/notes', new URLSearchParams({ text: `note ${count}` }));
  }
  await reading;
  assert.match(seen, /event: ?change/);
  response.destroy();
  assert.equal((await call('GET', '/api/time')).status, 200, 'serves after the client has left');
});

test('the limits hold for requests at the same moment', { timeout }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vibing-web-full-'));
  const full = await start(script, ['0', '--directory', folder]);
  const post = async (path: string, body: string | FormData, headers = {}): Promise<number> => {
    const options = { method: 'POST', body, headers, redirect: 'manual' } as const;
    const response = await fetch(new URL(path, full.url), options);
    await response.arrayBuffer();
    return response.status;
  };
  const count = async (path: string, length: number, request: () => Promise<number>) => {
    const statuses = await Promise.all(Array.from({ length }, request));
    const names = readdirSync(join(folder, path)).filter((name) => name.endsWith('.json'));
    return { statuses, kept: names.length };
  };
  const form = (): FormData => {
    const body = new FormData();
    for (const name of ['a', 'b', 'c', 'd', 'e']) body.append('files', new File([name], name));
    return body;
  };
  try {
    const json = { 'content-type': 'application/json' };
    const notes = await count('notes', 150, () => post('/api/notes', '{"text":"x"}', json));
    assert.equal(notes.kept, 100);
    assert.equal(notes.statuses.filter((status) => status === 201).length, 100);
    assert.equal(notes.statuses.filter((status) => status === 409).length, 50);
    const files = await count('files', 15, () => post('/files', form()));
    const made = files.statuses.filter((status) => status === 303).length;
    assert.ok(made <= 4 && files.kept === 5 * made, `${made} forms, ${files.kept} files`);
    assert.equal(files.statuses.filter((status) => status === 409).length, 15 - made);
    // The places of refused forms are free again.
    for (let more = made; more < 4; more++) assert.equal(await post('/files', form()), 303);
    assert.equal(await post('/files', form()), 409);
    assert.equal(readdirSync(join(folder, 'files')).length, 40, 'each a record and a content');
  } finally {
    await full.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('exits on SIGTERM with code 0, also with an open stream', { timeout }, async () => {
  const second = await start(script, ['0']);
  const request = get(new URL('/api/stream', second.url), { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await readUntil(response, /data:/);
  const ended = once(response.resume(), 'end');
  assert.equal(await second.stop(), 0);
  await ended;
  await assert.rejects(fetch(second.url), 'the server no longer listens');
});

test('prints errors in one line', { timeout }, async () => {
  for (const bad of ['nonsense', '127.0.0.1:99999', '127.0.0.1:', '--wat', '--workers=0']) {
    const { code, out, problems } = await run(script, [bad]);
    assert.equal(code, 2, bad);
    assert.equal(out, '');
    assert.match(problems, /^[^\n]+\n$/);
    assert.ok(problems.includes(bad.split('=')[0]), problems);
  }
  const many = await run(script, ['0', '1']);
  assert.equal(many.code, 2);
  const folder = mkdtempSync(join(tmpdir(), 'vibing-web-temporary-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  const taken = await run(script, [String(server.port)]);
  if (before === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = before;
  assert.equal(taken.code, 1);
  assert.match(taken.problems, /^cannot listen on [^\n]+\n$/);
  assert.deepEqual(readdirSync(folder), [], 'no folder is left');
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const noFolder = await run(script, ['0', '--directory', file]);
  assert.equal(noFolder.code, 1);
  assert.match(noFolder.problems, /^cannot use "[^\n]+\n$/);
  rmSync(folder, { recursive: true });
});

test('has --help', { timeout }, async () => {
  const { code, out, problems } = await run(script, ['--help']);
  assert.equal(code, 0);
  assert.match(out, /^usage: web-server \[address\] \[options\]\n/);
  assert.equal(problems, '');
});
