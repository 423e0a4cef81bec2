// The web server example as a process: its page, its API, its event stream, its exit.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { example, type Running, run, start } from '../../testing/program.ts';

leaveOutOfCoverage();

const script = example('web-server');
const timeout = 60_000;
let server: Running;

before(async () => {
  server = await start(script, ['127.0.0.1:0']);
});

after(async () => {
  await server.stop();
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
  assert.match(server.line, /^web server on http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.notEqual(server.port, 0);
});

test('serves its page', { timeout }, async () => {
  const response = await call('GET', '/');
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(await response.text(), /<h1>Notes<\/h1>[\s\S]*<\/html>\n$/);
});

test('responds with the time', { timeout }, async () => {
  const response = await call('GET', '/api/time');
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  const body = (await response.json()) as { now: string };
  assert.equal(new Date(body.now).toISOString(), body.now);
});

test('creates, lists and deletes notes', { timeout }, async () => {
  assert.deepEqual(await (await call('GET', '/api/notes')).json(), []);
  const texts = ['first', 'Grüße, 世界', '<b>"&"</b>'];
  for (const [index, text] of texts.entries()) {
    const made = await call('POST', '/api/notes', { text });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get('location'), `/api/notes/${index + 1}`);
    assert.deepEqual(await made.json(), { id: index + 1, text });
  }
  assert.equal((await call('DELETE', '/api/notes/2')).status, 204);
  const again = await call('DELETE', '/api/notes/2');
  assert.equal(again.status, 404);
  assert.match(await again.text(), /no such note/);
  assert.deepEqual(await (await call('GET', '/api/notes')).json(), [
    { id: 1, text: 'first' },
    { id: 3, text: '<b>"&"</b>' },
  ]);
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
});

test('streams the time as events', { timeout }, async () => {
  const request = get(new URL('/api/stream', server.url), { agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  assert.match(response.headers['content-type'] ?? '', /^text\/event-stream/);
  const text = await readUntil(response, /\n\n[\s\S]*\n\n/);
  response.destroy();
  const events = text.split('\n\n').filter((block) => /^data:/m.test(block));
  for (const [index, event] of events.entries()) {
    assert.match(event, /^event: ?time$/m);
    assert.match(event, new RegExp(`^id: ?${index + 1}$`, 'm'));
    assert.match(event, /^data: ?\d{4}-\d\d-\d\dT[\d:.]+Z$/m);
  }
  assert.ok(events.length >= 2);
  assert.equal(
    (await call('GET', '/api/time')).status,
    200,
    'keeps serving after the client disconnected',
  );
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
  for (const bad of ['nonsense', '127.0.0.1:99999', '127.0.0.1:', '--wat']) {
    const { code, out, problems } = await run(script, [bad]);
    assert.equal(code, 2, bad);
    assert.equal(out, '');
    assert.match(problems, /^[^\n]+\n$/);
    assert.ok(problems.includes(bad), problems);
  }
  const many = await run(script, ['0', '1']);
  assert.equal(many.code, 2);
  const taken = await run(script, [String(server.port)]);
  assert.equal(taken.code, 1);
  assert.match(taken.problems, /^cannot listen on [^\n]+\n$/);
});

test('has --help', { timeout }, async () => {
  const { code, out, problems } = await run(script, ['--help']);
  assert.equal(code, 0);
  assert.match(out, /^usage: web-server \[address\]\n/);
  assert.equal(problems, '');
});
