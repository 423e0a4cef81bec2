// The notes example as a process, over HTTP: accounts, sessions, notes of several users,
// attachments, live updates.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { example, type Running, run, start } from '../../testing/program.ts';
import { RawClient } from '../../testing/raw-client.ts';

leaveOutOfCoverage();

const timeout = 120_000;
const PATIENCE_MS = 60_000;
const password = 'correct horse battery';
const directory = mkdtempSync(join(tmpdir(), 'vibing-notes-'));
let server: Running;
let ann: Client;
let bob: Client;

interface Note {
  readonly id: number;
  readonly text: string;
  readonly version: number;
  readonly attachments: readonly { id: number; name: string; bytes: number }[];
}

/** A browser of one user: keeps the cookie. */
class Client {
  cookie = '';

  async call(method: string, path: string, body?: unknown, more = {}): Promise<Response> {
    const isForm = body instanceof FormData;
    const response = await fetch(new URL(path, server.url), {
      method,
      headers: {
        ...(this.cookie === '' ? {} : { cookie: this.cookie }),
        ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
        ...more,
      },
      body: body === undefined ? null : isForm ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) this.cookie = set.split(';')[0] ?? '';
    return response;
  }

  async notes(): Promise<Note[]> {
    return (await (await this.call('GET', '/api/notes')).json()) as Note[];
  }

  async add(text: string): Promise<number> {
    const response = await this.call('POST', '/api/notes', { text });
    assert.equal(response.status, 201);
    return ((await response.json()) as { id: number }).id;
  }

  async attach(note: number, ...files: File[]): Promise<Response> {
    const form = new FormData();
    for (const file of files) form.append('file', file);
    return await this.call('POST', `/api/notes/${note}/attachments`, form);
  }
}

async function register(name: string): Promise<Client> {
  const client = new Client();
  const response = await client.call('POST', '/api/session/new', { name, password });
  assert.equal(response.status, 200, await response.text());
  return client;
}

function storedFiles(): string[] {
  return readdirSync(join(directory, 'attachments'));
}

before(async () => {
  server = await start(example('notes'), ['127.0.0.1:0', directory]);
  ann = await register('ann');
  bob = await register('bob');
});

after(async () => {
  assert.equal(await server.stop(), 0);
  rmSync(directory, { recursive: true });
});

test('serves its page, with restrictions for browsers', { timeout }, async () => {
  const page = await new Client().call('GET', '/');
  assert.match(await page.text(), /<h1>Notes<\/h1>/);
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'self'/);
  for (const name of ['notes.js', 'style.css', 'icon.svg']) {
    assert.equal((await new Client().call('GET', `/${name}`)).status, 200, name);
  }
});

test('sessions begin with the right password, and end', { timeout }, async () => {
  const client = new Client();
  assert.equal((await client.call('GET', '/api/me')).status, 403);
  for (const wrong of [
    { name: 'ann', password: 'wrong horse battery' },
    { name: 'stranger', password },
  ]) {
    const response = await client.call('POST', '/api/session', wrong);
    assert.equal(response.status, 403);
    const { detail } = (await response.json()) as { detail: string };
    assert.equal(detail, 'the name or the password is wrong', 'does not say whether a user exists');
  }
  const taken = await client.call('POST', '/api/session/new', { name: 'ann', password });
  assert.equal(taken.status, 409);
  for (const bad of [{ name: 'Ann', password }, { name: 'x', password: 'short' }, {}]) {
    const response = await client.call('POST', '/api/session/new', bad);
    assert.equal(response.status, 400);
    assert.equal(response.headers.get('content-type'), 'application/problem+json');
  }
  const right = await client.call('POST', '/api/session', { name: 'ann', password });
  assert.deepEqual(await right.json(), { name: 'ann' });
  const set = right.headers.getSetCookie()[0] ?? '';
  assert.match(set, /HttpOnly/);
  assert.match(set, /SameSite=Lax/);
  assert.equal((await client.call('GET', '/api/me')).status, 200);

  const old = client.cookie;
  assert.equal((await client.call('DELETE', '/api/session')).status, 204);
  client.cookie = old;
  assert.equal((await client.call('GET', '/api/me')).status, 403, 'the session is over');
  // A cookie with another signature, or without one.
  client.cookie = ann.cookie.slice(0, -2);
  assert.equal((await client.call('GET', '/api/me')).status, 403);
  client.cookie = ann.cookie.split('.')[0] ?? '';
  assert.equal((await client.call('GET', '/api/me')).status, 403);
  // Neither the database nor the log has what the cookie has.
  const id = /=([^.]+)/.exec(ann.cookie)?.[1] ?? '';
  assert.ok(id.length > 40);
  const files = readdirSync(directory).filter((one) => one.startsWith('notes.db'));
  assert.ok(files.includes('notes.db'), String(files));
  for (const name of files) {
    const bytes = readFileSync(join(directory, name));
    assert.ok(!bytes.includes(id) && !bytes.includes(password), name);
  }
});

test('other sites cannot use the session of a browser', { timeout }, async () => {
  const text = 'from another site';
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
    assert.equal((await ann.call('POST', '/api/notes', { text }, headers)).status, 403);
  }
  assert.ok((await ann.notes()).every((note) => note.text !== text));
});

test('notes are added, changed and deleted by their user alone', { timeout }, async () => {
  const text = 'milk\n<b>"bread"</b> 🍞';
  const id = await ann.add(text);
  assert.equal((await ann.notes()).find((note) => note.id === id)?.text, text);
  const path = `/api/notes/${id}`;
  assert.ok(!(await bob.notes()).some((note) => note.id === id));
  const changed = { text: 'butter', version: 1 };
  assert.equal((await bob.call('PUT', path, changed)).status, 404);
  assert.equal((await bob.call('DELETE', path)).status, 404);
  assert.equal((await bob.attach(id, new File(['x'], 'x.txt'))).status, 404);
  assert.equal((await ann.call('PUT', path, changed)).status, 204);
  assert.equal((await ann.call('PUT', path, changed)).status, 409, 'of an old version');
  for (const bad of [{ text: '' }, { text: 'x'.repeat(10_001) }, { text: 1 }, { text: '\u0001' }]) {
    assert.equal((await ann.call('POST', '/api/notes', bad)).status, 400);
  }
  assert.equal((await ann.call('DELETE', path)).status, 204);
  assert.equal((await ann.call('DELETE', path)).status, 404);
  assert.equal((await new Client().call('GET', '/api/notes')).status, 403);
});

test('attachments are kept, sent to their user alone, and removed', { timeout }, async () => {
  const id = await ann.add('with files');
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 251));
  const name = `Grüße "1" (a'b) <x>.html`;
  const page = new File(['<script>alert(1)</script>'], name, { type: 'text/html' });
  const before = storedFiles().length;
  assert.equal((await ann.attach(id, new File([bytes], 'noise.bin'), page)).status, 201);
  assert.equal(storedFiles().length, before + 2);
  const note = (await ann.notes()).find((one) => one.id === id);
  const [noise, html] = note?.attachments ?? [];
  assert.equal(noise?.bytes, bytes.length);

  const got = await ann.call('GET', `/api/attachments/${noise?.id}`);
  assert.ok(Buffer.from(await got.arrayBuffer()).equals(bytes));
  const range = { range: 'bytes=5-9' };
  const part = await ann.call('GET', `/api/attachments/${noise?.id}`, undefined, range);
  assert.equal(part.status, 206);
  const shown = await ann.call('GET', `/api/attachments/${html?.id}`);
  assert.equal(shown.headers.get('content-type'), 'application/octet-stream', 'is no page');
  const disposition = shown.headers.get('content-disposition') ?? '';
  const encoded = /; filename\*=UTF-8''([\w%.~-]+)$/.exec(disposition)?.[1] ?? '';
  assert.equal(decodeURIComponent(encoded), html?.name);
  assert.match(html?.name ?? '', /^Grüße/);
  for (const method of ['GET', 'DELETE']) {
    assert.equal((await bob.call(method, `/api/attachments/${noise?.id}`)).status, 404);
  }

  assert.equal((await ann.call('DELETE', `/api/attachments/${noise?.id}`)).status, 204);
  assert.equal(storedFiles().length, before + 1);
  assert.equal((await ann.call('DELETE', `/api/notes/${id}`)).status, 204);
  assert.equal((await ann.call('GET', `/api/attachments/${html?.id}`)).status, 404);
  assert.equal(storedFiles().length, before, 'no file is left');
});

test('uploads have limits, and leave nothing behind', { timeout }, async () => {
  const id = await ann.add('too much');
  const before = storedFiles().length;
  const small = Array.from({ length: 6 }, (_, index) => new File(['x'], `${index}`));
  assert.equal((await ann.attach(id, ...small)).status, 413, 'too many files');
  const huge = new File([Buffer.alloc(10 * 1024 * 1024 + 1)], 'huge');
  assert.equal((await ann.attach(id, new File(['x'], 'x'), huge)).status, 413, 'too large');
  assert.equal((await ann.call('POST', `/api/notes/${id}/attachments`, { a: 1 })).status, 415);
  assert.equal(storedFiles().length, before);
  assert.deepEqual((await ann.notes()).find((one) => one.id === id)?.attachments, []);
});

test('notes and attachments of a user have limits together', { timeout }, async () => {
  const cat = await register('cat');
  const long = '\u20ac'.repeat(10_000);
  const most = Math.floor((1024 * 1024) / Buffer.byteLength(long));
  const ids: number[] = [];
  for (let index = 0; index < most; index++) ids.push(await cat.add(long));
  const refused = await cat.call('POST', '/api/notes', { text: long });
  assert.equal(refused.status, 413);
  assert.match(await refused.text(), /1048576 bytes at most; delete or shorten some/);
  const [path, rest] = [`/api/notes/${ids[0]}`, 1024 * 1024 - most * Buffer.byteLength(long)];
  assert.ok(rest > 0 && rest < 30_000);
  assert.equal((await cat.call('PUT', path, { text: 'short', version: 1 })).status, 204);
  await cat.add(long);
  const grown = await cat.call('PUT', path, { text: 'x'.repeat(10_000), version: 2 });
  assert.equal(grown.status, 204);
  const exceeding = await cat.call('PUT', path, { text: long, version: 3 });
  assert.equal(exceeding.status, 413, 'a change counts too');
  assert.equal((await cat.call('PUT', path, { text: long, version: 1 })).status, 409);
  const list = await cat.call('GET', '/api/notes');
  assert.ok((await list.arrayBuffer()).byteLength < 1.2 * 1024 * 1024);

  const before = storedFiles().length;
  const files = Array.from({ length: 5 }, (_, index) => new File([], `${index}.txt`));
  const statuses: number[] = [];
  for (let index = 0; index < 5; index++) {
    statuses.push((await cat.attach(ids[1] ?? 0, ...files)).status);
  }
  assert.deepEqual(statuses, [201, 201, 201, 201, 409], 'of one note');
  for (const id of ids.slice(2, 11)) {
    for (let index = 0; index < 4; index++) {
      assert.equal((await cat.attach(id, ...files)).status, 201);
    }
  }
  const more = await cat.attach(ids[11] ?? 0, ...files);
  assert.equal(more.status, 409);
  assert.match(await more.text(), /you have 200 attachments at most; remove some/);
  assert.equal(storedFiles().length, before + 200, 'refused files are removed');
});

test('pages of a user follow changes, those of others do not', { timeout }, async () => {
  const open = async (client: Client): Promise<IncomingMessage> => {
    const headers = { cookie: client.cookie };
    const sent = get(new URL('/api/events', server.url), { headers, agent: false });
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    return response.setEncoding('utf8');
  };
  const next = async (events: IncomingMessage): Promise<string> => {
    const [text] = (await once(events, 'data')) as [string];
    return text;
  };
  const [mine, other] = [await open(ann), await open(bob)];
  const [ofAnn, ofBob] = [next(mine), next(other)];
  await ann.add('seen at once');
  assert.match(await ofAnn, /^event: changed$/m);
  await bob.add('of another');
  assert.equal((await ofBob).match(/changed/g)?.length, 1, 'only of the own note');

  // Each page is a stream, and there are not endlessly many.
  for (let index = 0; index < 12; index++) {
    assert.equal((await ann.call('HEAD', '/api/events')).status, 200);
  }
  const more = [];
  for (let index = 0; index < 9; index++) more.push(await open(ann));
  const kept = next(mine);
  await ann.add('seen by ten pages');
  assert.match(await kept, /^event: changed$/m, 'a HEAD is no page');
  const rest = mine.toArray();
  more.push(await open(ann));
  assert.match((await rest).join(''), /event: replaced\n/, 'the oldest ends');
  for (const events of [other, ...more]) events.destroy();
});

test('sessions and notes outlive a restart, and open streams do not delay it', {
  timeout,
}, async () => {
  const id = await ann.add('kept');
  const headers = { cookie: ann.cookie };
  const sent = get(new URL('/api/events', server.url), { headers, agent: false });
  const [events] = (await once(sent, 'response')) as [IncomingMessage];
  const ended = once(events.resume(), 'end');
  // A request that is being sent while the server closes.
  const late = await RawClient.open(server.port);
  await late.ask('GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n');
  void late.send('GET /api/events HTTP/1.1\r\nHost: localhost\r\n');
  await ann.call('GET', '/api/me');
  const stopped = server.stop();
  await ended;
  void late.send(`Cookie: ${ann.cookie}\r\n\r\n`);
  assert.equal((await late.nextResponse()).status, 200);
  assert.equal(await stopped, 0);
  process.env['TRUSTED_PROXIES'] = '127.0.0.1, 10.0.0.0/8';
  server = await start(example('notes'), ['127.0.0.1:0', directory]);
  delete process.env['TRUSTED_PROXIES'];
  assert.ok((await ann.notes()).some((note) => note.id === id));
});

test('behind a proxy, cookies are secure and clients have limits of their own', {
  timeout,
}, async () => {
  const from = (address: string) => ({
    'x-forwarded-for': address,
    'x-forwarded-proto': 'https',
  });
  const right = { name: 'ann', password };
  const response = await new Client().call('POST', '/api/session', right, from('192.0.2.1'));
  assert.match(response.headers.getSetCookie()[0] ?? '', /; Secure/);
  // Many addresses guess one password.
  const statuses = await Promise.all(
    Array.from({ length: 11 }, async (_, index) => {
      const wrong = { name: 'stranger', password };
      const headers = from(`198.51.100.${index}`);
      return (await new Client().call('POST', '/api/session', wrong, headers)).status;
    }),
  );
  assert.deepEqual(statuses.sort(), [...Array(10).fill(403), 429]);
  process.env['TRUSTED_PROXIES'] = '10.0.0.0/99';
  const bad = await run(example('notes'), ['0', directory]);
  delete process.env['TRUSTED_PROXIES'];
  assert.equal(bad.code, 2);
  assert.match(bad.problems, /^TRUSTED_PROXIES: [^\n]+\n$/);
});

test('guesses of passwords are slowed down', { timeout }, async () => {
  const client = new Client();
  const statuses: number[] = [];
  for (let index = 0; index < 25 && statuses.at(-1) !== 429; index++) {
    const response = await client.call('POST', '/api/session', { name: 'ann' });
    statuses.push(response.status);
  }
  assert.equal(statuses.at(-1), 429, String(statuses));
  assert.equal((await ann.call('GET', '/api/me')).status, 200, 'who is logged in stays so');
  assert.equal((await bob.call('DELETE', '/api/session')).status, 204, 'and can log out');
});

test('prints errors in one line, and has --help', { timeout }, async () => {
  const file = join(directory, 'notes.db');
  const unusables = [file, join(file, 'below')];
  // Where there is such a folder, no other one can be made in it.
  if (existsSync('/proc/self')) unusables.push('/proc/notes/below');
  for (const unusable of unusables) {
    const bad = await run(example('notes'), ['0', unusable]);
    assert.equal(bad.code, 1);
    assert.match(bad.problems, /^cannot use "[^\n]+\n$/m);
  }
  const other = join(directory, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'cookie-key'), '');
  // A start that was cut off while it wrote the key.
  writeFileSync(join(other, 'cookie-key.new'), 'cut off');
  const second = await start(example('notes'), ['0', other]);
  assert.equal(await second.stop(), 0);
  assert.ok(
    readFileSync(join(other, 'cookie-key'), 'utf8').length > 40,
    'an empty key is replaced',
  );
  const help = await run(example('notes'), ['--help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /^usage: notes \[address\] \[directory\]\n/);
});
