// The name under which a browser saves a file: Content-Disposition by RFC 6266, and res.file().

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { attachment } from '../../src/exchange/content-disposition.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { oneDriver, withServer } from '../../testing/with-server.ts';

const SELF = fileURLToPath(import.meta.url);

/** The parameters as a client reads them, which prefers filename* (RFC 6266 4.3). */
function read(field: string): { plain: string; name: string } {
  const match =
    /^attachment; filename="([\x20-\x7e]*?)"(?:; filename\*=UTF-8''([\w.!#$&+^`|~%-]+))?$/;
  const [, plain = '', extended] = match.exec(field) ?? assert.fail(field);
  assert.doesNotMatch(plain, /["\\]/);
  return { plain, name: extended === undefined ? plain : decodeURIComponent(extended) };
}

it('names are ASCII where they can be, and UTF-8 besides', () => {
  for (const [given, plain, name] of [
    ['report.pdf', 'report.pdf', 'report.pdf'],
    ['my report (1).pdf', 'my report (1).pdf', 'my report (1).pdf'],
    ['größe.txt', 'gr__e.txt', 'größe.txt'],
    ['日本.txt', '__.txt', '日本.txt'],
    ['a"b.txt', 'a_b.txt', 'a"b.txt'],
    ['100%.txt', '100_.txt', '100%.txt'],
    ["it's*ü.txt", "it's*_.txt", "it's*ü.txt"],
    ['😀.png', '_.png', '😀.png'],
  ] as const) {
    assert.deepEqual(read(attachment(given)), { plain, name }, given);
  }
});

it('no name leaves the field, its quotes, or a folder', () => {
  for (const [given, name] of [
    ['a\r\nSet-Cookie: b=1', 'a__Set-Cookie: b=1'],
    ['"; filename=evil.exe', '"; filename=evil.exe'],
    ['a\\"; x="', 'a_"; x="'],
    ['../../etc/passwd', '.._.._etc_passwd'],
    ['C:\\evil.exe', 'C:_evil.exe'],
    ['a\0\x7f\u2028b', 'a___b'],
    ['a\ud800b', 'a_b'],
    // Shown from right to left, the name would seem to end in ".txt".
    ['a\u202etxt.exe', 'a_txt.exe'],
    ['a\u061c\u200e\u200f\u202a\u202d\u2066\u2069b', 'a_______b'],
  ] as const) {
    assert.equal(read(attachment(given)).name, name, JSON.stringify(given));
  }
});

it('res.file() sends it, with ranges, and not with an error', async () => {
  const routes = (server: Server) => {
    server.get('/file', (_req, res) => res.file(SELF, { download: 'naïve.js' }));
    server.get('/none', (_req, res) => res.file('/does/not/exist', { download: 'a' }));
    server.get('/empty', (_req, res) => res.file(SELF, { download: '' }));
    server.get('/wrong', (_req, res) => res.file(SELF, { downlaod: 'a' } as object));
    server.get('/no-path', (_req, res) => res.file(undefined as unknown as string));
  };
  await withServer(oneDriver()[0], {}, routes, async ({ log, open }) => {
    const client = await open();
    const ask = async (text: string) => {
      void client.send(text);
      return client.nextResponse();
    };
    const part = await ask(get('/file', 'Range: bytes=0-1'));
    assert.deepEqual([part.status, part.text], [206, '//']);
    const field = `attachment; filename="na_ve.js"; filename*=UTF-8''na%C3%AFve.js`;
    assert.equal(part.field('content-disposition'), field);
    const none = await ask(get('/none'));
    assert.deepEqual([none.status, none.field('content-disposition')], [404, undefined]);
    assert.equal((await ask(get('/empty'))).status, 500);
    assert.equal((await ask(get('/wrong'))).status, 500);
    assert.match(log.join('\n'), /file\(\): download is a name that is not empty/);
    assert.match(log.join('\n'), /did you mean download\?/);
    assert.equal((await ask(get('/no-path'))).status, 500);
    assert.match(log.join('\n'), /file\(\): a path is missing, given undefined/);
  });
});
