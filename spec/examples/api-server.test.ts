// The API server example as processes: every operation with its errors over two workers, hostile
// requests, changes at the same time, and a kill that loses no acknowledged write.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { OPENAPI } from '../../examples/api/openapi.ts';
import { SEED_BOOKS, seedBooks } from '../../examples/api/seed.ts';
import { openDatabase } from '../../examples/sqlite/open.ts';
import { ChildProgram } from '../../testing/child-program.ts';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { example, run } from '../../testing/program.ts';
import { type ApiResponse, ApiServer } from './fixtures/api-client.ts';

leaveOutOfCoverage();

const timeout = 120_000;
const directory = mkdtempSync(join(tmpdir(), 'vibing-api-'));
const book = { title: 'Middlemarch', author: 'George Eliot', year: 1871 };
let server: ApiServer;

after(() => rmSync(directory, { recursive: true }));

function assertProblem(response: ApiResponse, status: number, what = ''): void {
  assert.equal(response.status, status, `${what}: ${response.text}`);
  assert.equal(response.headers['content-type'], 'application/problem+json', what);
  assert.equal(response.json.status, status);
  assert.doesNotMatch(response.text, /\.[jt]s:\d|SQLITE|SELECT|constraint/i, 'nothing from inside');
}

/** SQLite compares text by its bytes in UTF-8. */
function compare(one: string | number, other: string | number): number {
  if (typeof one === 'number') return one - Number(other);
  return Buffer.from(one).compare(Buffer.from(String(other)));
}

async function created(fields: object = book): Promise<ApiResponse> {
  const response = await server.call('POST', '/books', { body: fields });
  assert.equal(response.status, 201, response.text);
  return response;
}

describe('the API server with two workers', { timeout }, () => {
  before(async () => {
    server = await ApiServer.start(join(directory, 'books.db'), 2);
  });

  after(async () => {
    assert.equal(await server.stop(), 0);
    const served = server.program.problems.matchAll(/worker \d served \d+ connections, (\d+)/g);
    const counts = [...served].map(([, count]) => Number(count));
    assert.equal(counts.length, 2, server.program.problems);
    assert.ok(Math.min(...counts) > 0, `both workers served: ${counts}`);
    assert.doesNotMatch(server.program.problems, /error/i);
  });

  const ofTwoYears = [...seedBooks()].filter(({ year }) => year === 1900 || year === 1901);

  test('pages, in every order, have each seeded book once', async () => {
    for (const sort of ['id', '-id', 'title', '-title', 'author', '-author', 'year', '-year']) {
      const field = sort.replace('-', '') as 'id' | 'title';
      const isDescending = sort !== field;
      const seen = new Set<number>();
      // Few pages, of a filter, for each order; the whole list once.
      const filter = sort === 'id' ? '' : '&yearFrom=1900&yearTo=1901';
      let target: string | null = `/books?limit=${sort === 'id' ? 100 : 7}&sort=${sort}${filter}`;
      let last: string | number | undefined;
      while (target !== null) {
        const page = await server.call('GET', target);
        assert.equal(page.status, 200, page.text);
        for (const item of page.json.items) {
          assert.ok(!seen.has(item.id), `${sort}: ${item.id} occurs twice`);
          seen.add(item.id);
          const value = item[field];
          if (last !== undefined) {
            const order = compare(last, value);
            assert.ok(isDescending ? order >= 0 : order <= 0, `${sort}: ${last}, ${value}`);
          }
          last = value;
        }
        target = page.json.next;
        const link = target === null ? undefined : `<${target}>; rel="next"`;
        assert.equal(page.headers['link'], link);
      }
      assert.equal(seen.size, sort === 'id' ? SEED_BOOKS : ofTwoYears.length, sort);
    }
  });

  test('filters narrow a list', async () => {
    const author = encodeURIComponent('Ada García');
    const by = await server.call('GET', `/books?author=${author}&yearFrom=1950&q=RIVER&limit=100`);
    assert.ok(by.json.items.length > 0);
    for (const item of by.json.items) {
      assert.equal(item.author, 'Ada García');
      assert.ok(item.year >= 1950);
      assert.match(item.title, /river/i);
    }
    const none = await server.call('GET', '/books?q=%25&author=_%25');
    assert.deepEqual(none.json, { items: [], next: null }, 'no wildcards');
    assert.equal((await server.call('GET', '/books')).json.items.length, 20);
    const etag = by.headers.etag ?? '';
    const same = `/books?author=${author}&yearFrom=1950&q=RIVER&limit=100`;
    const again = await server.call('GET', same, { headers: { 'if-none-match': etag } });
    assert.equal(again.status, 304);
  });

  test('a book is created, read, replaced, changed and deleted', async () => {
    const made = await created({ ...book, pages: 880, isbn: '9780141439549' });
    const path = made.headers.location ?? '';
    assert.match(path, /^\/books\/\d+$/);
    const read = await server.call('GET', path, { anonymous: true });
    assert.equal(read.text, made.text);
    assert.equal(read.headers.etag, made.headers.etag);
    const headers = { 'if-match': `"other", ${read.headers.etag}` };

    const kept = { 'if-none-match': read.headers.etag ?? '' };
    assert.equal((await server.call('GET', path, { headers: kept })).status, 304);
    const head = await server.call('HEAD', path);
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal(head.headers.etag, read.headers.etag);

    const fields = { title: ' Emma ', author: 'Jane Austen', year: 1815, pages: 474 };
    const replaced = await server.call('PUT', path, { body: fields, headers });
    assert.equal(replaced.status, 200, replaced.text);
    assert.equal(replaced.json.title, 'Emma');
    assert.equal(replaced.json.isbn, undefined, 'what is missing is removed');
    assert.equal(replaced.json.version, made.json.version + 1);
    assertProblem(await server.call('PUT', path, { body: fields, headers }), 412);

    const patch = { year: 1816, pages: null };
    const current = { 'if-match': replaced.headers.etag ?? '' };
    const changed = await server.call('PATCH', path, { body: patch, headers: current });
    assert.equal(changed.status, 200, changed.text);
    assert.equal(changed.json.year, 1816);
    assert.equal('pages' in changed.json, false);
    assert.equal(changed.json.author, 'Jane Austen');
    assertProblem(await server.call('PATCH', path, { body: patch, headers: current }), 412);

    assertProblem(await server.call('DELETE', path, { headers: current }), 412);
    const last = { 'if-match': changed.headers.etag ?? '' };
    const gone = await server.call('DELETE', path, { headers: last });
    assert.deepEqual([gone.status, gone.text], [204, '']);
    assertProblem(await server.call('GET', path), 404);
    assertProblem(await server.call('DELETE', path, { headers: last }), 404);
    assertProblem(await server.call('PUT', path, { body: fields, headers: last }), 404);
  });

  test('a change says which version it is about', async () => {
    const made = await created();
    const path = made.headers.location ?? '';
    assertProblem(await server.call('PUT', path, { body: book }), 428);
    assertProblem(await server.call('PATCH', path, { body: {} }), 428);
    assertProblem(await server.call('DELETE', path), 428);
    const tag = made.headers.etag ?? '';
    for (const other of [`W/${tag}`, tag.replaceAll('"', ''), `${tag},x`, '', '"', '"*"', '""']) {
      const response = await server.call('PATCH', path, {
        body: { year: 1900 },
        headers: { 'if-match': other },
      });
      assertProblem(response, 412, other);
    }
    const any = await server.call('PATCH', path, { body: {}, headers: { 'if-match': '*' } });
    assert.equal(any.status, 200);
    assert.equal((await server.call('GET', path)).json.year, book.year);
  });

  test('of changes at the same time of one version, one succeeds', async () => {
    const made = await created();
    const path = made.headers.location ?? '';
    const headers = { 'if-match': made.headers.etag ?? '' };
    const years = Array.from({ length: 12 }, (_, index) => 1900 + index);
    const responses = await Promise.all(
      years.map((year) => server.call('PATCH', path, { body: { year }, headers })),
    );
    const statuses = responses.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, ...Array.from({ length: 11 }, () => 412)]);
    const winner = responses.find(({ status }) => status === 200);
    assert.equal((await server.call('GET', path)).text, winner?.text);
    assert.equal(winner?.json.version, 2);
  });

  test('while another process writes, writes wait and reads do not', async () => {
    const other = await openDatabase(join(directory, 'books.db'));
    other.exec('BEGIN IMMEDIATE');
    let isWritten = false;
    const made = created().then((response) => {
      isWritten = true;
      return response;
    });
    for (let index = 0; index < 4; index++) {
      assert.equal((await server.call('GET', '/books/5')).status, 200);
    }
    assert.equal(isWritten, false);
    other.exec('ROLLBACK');
    other.close();
    assert.equal((await made).status, 201);
  });

  test('an ISBN belongs to one book, also when it is sent many times at once', async () => {
    const body = { ...book, isbn: '9791034304240' };
    const requests = Array.from({ length: 6 }, () => server.call('POST', '/books', { body }));
    const responses = await Promise.all(requests);
    assert.equal(responses.filter(({ status }) => status === 201).length, 1);
    for (const response of responses) if (response.status !== 201) assertProblem(response, 409);
    const other = await created();
    const path = other.headers.location ?? '';
    const headers = { 'if-match': '*' };
    const patch = { isbn: body.isbn };
    assertProblem(await server.call('PATCH', path, { body: patch, headers }), 409);
  });

  test('a repeated Idempotency-Key creates one book', async () => {
    const headers = { 'idempotency-key': '"order 1"' };
    assertProblem(await server.call('POST', '/books', { body: book, headers }), 400);
    headers['idempotency-key'] = '"order-1"';
    const requests = Array.from({ length: 8 }, () =>
      server.call('POST', '/books', { body: book, headers }),
    );
    const responses = await Promise.all(requests);
    for (const { status, text } of responses) {
      assert.equal(status, 201);
      assert.equal(text, responses[0]?.text);
    }
    const replayed = responses.filter(({ headers }) => headers['idempotency-replayed'] === 'true');
    assert.equal(replayed.length, 7);
    const { json } = responses[0] as ApiResponse;
    await server.call('DELETE', `/books/${json.id}`, { headers: { 'if-match': '*' } });
    const late = await server.call('POST', '/books', {
      body: { year: 1871, author: 'George Eliot', title: 'Middlemarch' },
      headers: { 'idempotency-key': 'order-1' },
    });
    assert.equal(late.text, responses[0]?.text, 'the first response, whatever happened since');
    const other = { ...book, year: 1872 };
    assertProblem(await server.call('POST', '/books', { body: other, headers }), 422);
    const long = { 'idempotency-key': 'k'.repeat(256) };
    assertProblem(await server.call('POST', '/books', { body: book, headers: long }), 400);
  });

  test('writes need the token', async () => {
    const headers = { 'if-match': '*' };
    for (const [method, path] of [
      ['POST', '/books'],
      ['PUT', '/books/1'],
      ['PATCH', '/books/1'],
      ['DELETE', '/books/1'],
    ] as const) {
      const none = await server.call(method, path, { body: book, anonymous: true, headers });
      assertProblem(none, 401, method);
      assert.equal(none.headers['www-authenticate'], 'Bearer realm="books"');
      const wrong = { ...headers, authorization: 'Bearer wrong' };
      assertProblem(await server.call(method, path, { body: book, headers: wrong }), 401, method);
    }
    assert.equal((await server.call('GET', '/books/1')).status, 200);
  });

  test('a body that is not a book is refused, with each of its mistakes', async () => {
    const bad: [unknown, string][] = [
      ['{"title":', ''],
      ['', ''],
      ['[]', '#'],
      ['null', '#'],
      ['"x"', '#'],
      [{ ...book, title: ' ' }, '#/title'],
      [{ ...book, title: 'x'.repeat(201) }, '#/title'],
      [{ ...book, title: 'a\u0000b' }, '#/title'],
      [{ ...book, title: '\ud800' }, '#/title'],
      [{ ...book, title: { $ne: 1 } }, '#/title'],
      [{ ...book, year: '1871' }, '#/year'],
      [{ ...book, year: 1871.5 }, '#/year'],
      [{ ...book, year: 1e300 }, '#/year'],
      [{ ...book, pages: null }, '#/pages'],
      [{ ...book, isbn: '9780306406158' }, '#/isbn'],
      [{ ...book, id: 7 }, '#'],
      [{ ...book, version: 7 }, '#'],
      [`{"title":"x","author":"y","year":1999,"__proto__":{"admin":1}}`, ''],
    ];
    for (const [body, pointer] of bad) {
      const what = JSON.stringify(body);
      const response = await server.call('POST', '/books', { body });
      assertProblem(response, 400, what);
      const pointers = (response.json.errors ?? []).map((one) => one.pointer);
      if (pointer !== '') assert.deepEqual([...new Set(pointers)], [pointer], what);
      const headers = { 'if-match': '*' };
      assertProblem(await server.call('PUT', '/books/1', { body, headers }), 400, what);
    }
    const several = await server.call('POST', '/books', { body: { year: 0 } });
    assert.deepEqual(several.json.errors.map(({ pointer }) => pointer).sort(), [
      '#/author',
      '#/title',
      '#/year',
    ]);
    for (const body of [{ title: null }, { year: 'x' }, { id: 3 }, [], 'null', '{']) {
      const headers = { 'if-match': '*' };
      const response = await server.call('PATCH', '/books/1', { body, headers });
      assertProblem(response, 400, JSON.stringify(body));
    }
    assert.equal((await server.call('GET', '/books/1')).json.version, 1);
  });

  test('other media types, and long bodies, are refused', async () => {
    const headers = { 'if-match': '*', 'content-type': 'text/plain' };
    assertProblem(await server.call('POST', '/books', { body: book, headers }), 415);
    assertProblem(await server.call('PUT', '/books/1', { body: book, headers }), 415);
    headers['content-type'] = 'application/json';
    assertProblem(await server.call('PATCH', '/books/1', { body: {}, headers }), 415);
    headers['content-type'] = 'Application/Merge-Patch+JSON; charset=utf-8';
    assert.equal((await server.call('PATCH', '/books/2', { body: {}, headers })).status, 200);
    const body = { ...book, title: 'x'.repeat(70_000) };
    assertProblem(await server.call('POST', '/books', { body }), 413);
  });

  test('hostile queries are refused, or find nothing', async () => {
    const cursor = (parts: unknown): string =>
      `cursor=${Buffer.from(JSON.stringify(parts)).toString('base64url')}`;
    const bad = [
      'limit=0',
      'limit=101',
      'limit=1000000000',
      'limit=-1',
      'limit=1e1',
      'limit=',
      'limit=1&limit=2',
      'sort=isbn',
      'sort=id;DROP TABLE books',
      'sort=--id',
      'sort=',
      'unknown=1',
      '__proto__=1',
      'yearFrom=x',
      'yearTo=1%20OR%201=1',
      'cursor=x',
      'cursor=',
      cursor('id'),
      cursor(['id']),
      cursor(['title', 'x', 1]),
      cursor(['id', 'x', 1]),
      cursor(['id', 1, '1 OR 1=1']),
      cursor(['id', 1e300, 1]),
      cursor(['id', 1, 1, 1]),
      cursor(['id', null, null]),
      `sort=title&${cursor(['title', 1, 1])}`,
      `cursor=${'A'.repeat(2_001)}`,
      'q=%00',
      `q=${'x'.repeat(201)}`,
    ];
    for (const query of bad) {
      assertProblem(await server.call('GET', `/books?${query.replaceAll(' ', '%20')}`), 400, query);
    }
    for (const text of [
      `' OR '1'='1`,
      `'; DROP TABLE books; --`,
      '" OR ""="',
      '\\',
      '%',
      '[a-z]',
    ]) {
      const value = encodeURIComponent(text);
      for (const query of [`author=${value}`, `q=${value}`]) {
        const found = await server.call('GET', `/books?${query}`);
        assert.deepEqual(found.json, { items: [], next: null }, query);
      }
    }
    const places = ['0', '-1', '01', '1.0', '1e3', 'x', '9'.repeat(30), '1%20OR%201=1'];
    for (const id of places) assertProblem(await server.call('GET', `/books/${id}`), 404, id);
    assert.equal((await server.call('GET', '/books?limit=1')).json.items.length, 1);
  });

  test('paths and methods without a handler are problems, too', async () => {
    assertProblem(await server.call('GET', '/authors'), 404);
    const wrong = await server.call('DELETE', '/books');
    assertProblem(wrong, 405);
    assert.match(wrong.headers.allow ?? '', /GET/);
    assert.match(wrong.headers.allow ?? '', /POST/);
    const { json } = await server.call('GET', '/');
    assert.deepEqual(json, { books: '/books', openapi: '/openapi.json' });
    const document = await server.call('GET', '/openapi.json');
    assert.deepEqual(document.json, JSON.parse(JSON.stringify(OPENAPI)));
    assert.equal((await server.call('GET', '/readyz')).status, 200);
  });
});

test('a kill loses no acknowledged write, and a repeated request writes once', {
  timeout,
}, async () => {
  const path = join(directory, 'killed.db');
  const first = await ApiServer.start(path);
  const acknowledged = new Map<string, number>();
  const sent = new Set<string>();
  let isKilled = false;
  const client = async (name: number): Promise<void> => {
    for (let index = 0; !isKilled; index++) {
      const key = `client-${name}-${index}`;
      sent.add(key);
      const body = { ...book, title: key };
      const headers = { 'idempotency-key': key };
      const response = await first.call('POST', '/books', { body, headers }).catch(() => null);
      if (response === null) return;
      assert.equal(response.status, 201, response.text);
      acknowledged.set(key, response.json.id);
      // In the middle of the requests of all the others.
      if (acknowledged.size === 100) isKilled = first.program.process.kill('SIGKILL');
    }
  };
  try {
    await Promise.all(Array.from({ length: 8 }, (_, name) => client(name)));
  } finally {
    first.program.process.kill('SIGKILL');
  }
  assert.equal(await first.program.exitCode(), null, 'a signal ended it');
  assert.ok(acknowledged.size >= 100);

  server = await ApiServer.start(path);
  try {
    for (const [key, id] of acknowledged) {
      assert.equal((await server.call('GET', `/books/${id}`)).json.title, key);
    }
    for (const key of sent) {
      const headers = { 'idempotency-key': key };
      const body = { ...book, title: key };
      const again = await server.call('POST', '/books', { body, headers });
      assert.equal(again.status, 201, again.text);
      const known = acknowledged.get(key);
      if (known !== undefined) assert.equal(again.json.id, known, key);
      const found = await server.call('GET', `/books?author=George%20Eliot&q=${key}&limit=100`);
      const same = found.json.items.filter(({ title }) => title === key);
      assert.equal(same.length, 1, key);
    }
    assert.equal(await server.stop(), 0);
  } finally {
    await server.stop();
  }
});

test('a start that cannot succeed is one line', { timeout }, async () => {
  const script = example('api-server');
  const text = join(directory, 'text.db');
  writeFileSync(text, 'this is no database\n'.repeat(100));
  for (const path of [text, directory, join(directory, 'missing', 'books.db')]) {
    const { code, problems } = await run(script, ['0', path]);
    assert.equal(code, 1, problems);
    assert.match(problems, /^cannot open the database "[^\n]+\n$/m);
  }
  const bad = await run(script, ['nonsense']);
  assert.equal(bad.code, 2);
  assert.match(bad.problems, /^invalid address [^\n]+\n$/);
  for (const setting of [`API_TOKEN='sixteen and blanks'`, 'API_TOKEN=short', 'API_WORKERS=0']) {
    const wrong = new ChildProgram(script, ['0', join(directory, 'x.db')], `export ${setting}`);
    assert.equal(await wrong.exitCode(), 2, setting);
    assert.match(wrong.problems, /^API_[^\n]+\n$/);
  }
  const help = await run(script, ['--help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /^usage: api-server \[address\] \[database\]\n[\s\S]*API_TOKEN/);
});
