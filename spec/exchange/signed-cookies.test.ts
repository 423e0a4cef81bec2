// Signed cookies: every change of a value, a name or a signature is noticed, and keys can be
// replaced.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SIGNING_KEY_BYTES_MIN } from '../../src/base/fixed-limits.ts';
import { signedCookies } from '../../src/exchange/signed-cookies.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

const OLD = 'an old key of 24 bytes..';
const NEW = 'a new key of 23 bytes..';

describe('signedCookies()', () => {
  test('appends an HMAC-SHA256 of name and value', () => {
    const { sign } = signedCookies({ keys: [NEW, OLD] });
    const expected = createHmac('sha256', NEW).update('user=Ada').digest('base64url');
    assert.equal(sign('user', 'Ada'), `Ada.${expected}`);
  });

  test('verifies what it signed, whatever the value is', () => {
    const { sign, verify } = signedCookies({ keys: [NEW] });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (value) => {
        assert.equal(verify('a', sign('a', value)), value);
      }),
    );
    for (const value of ['', '.', 'a.b.c', 'é', '\0', '=']) {
      assert.equal(verify('a', sign('a', value)), value);
    }
  });

  test('rejects every change of a character, and a signature for another name', () => {
    const { sign, verify } = signedCookies({ keys: [NEW] });
    const signed = sign('user', 'Ada');
    for (let at = 0; at < signed.length; at++) {
      for (const other of ['A', 'B', '.', '=', 'é', '']) {
        const changed = signed.slice(0, at) + other + signed.slice(at + 1);
        if (changed !== signed) assert.equal(verify('user', changed), undefined, changed);
      }
    }
    assert.equal(verify('admin', signed), undefined);
    assert.equal(verify('User', signed), undefined);
    for (const text of ['', '.', 'Ada', 'Ada.', `${signed}=`, `${signed} `, signed.slice(4)]) {
      assert.equal(verify('user', text), undefined, text);
    }
    // The last character has bits that base64 does not use.
    const last = signed.charCodeAt(signed.length - 1);
    for (const code of [last - 1, last + 1]) {
      assert.equal(verify('user', signed.slice(0, -1) + String.fromCharCode(code)), undefined);
    }
  });

  test('accepts every key, and signs with the first', () => {
    const before = signedCookies({ keys: [OLD] });
    const between = signedCookies({ keys: [NEW, OLD] });
    const after = signedCookies({ keys: [NEW] });
    assert.equal(between.verify('a', before.sign('a', '1')), '1');
    for (const { sign, verify } of [between, signedCookies({ keys: [OLD, NEW, `${NEW}.`] })]) {
      for (const each of [before, after]) assert.equal(verify('a', each.sign('a', '1')), '1');
      assert.equal(verify('a', sign('a', '2')), '2', 'what it signs itself');
    }
    assert.equal(between.sign('a', '1'), after.sign('a', '1'));
    assert.equal(after.verify('a', before.sign('a', '1')), undefined);
    assert.equal(before.verify('a', between.sign('a', '1')), undefined);
    assert.equal(signedCookies({ keys: [OLD, NEW] }).verify('a', after.sign('a', '1')), '1');
  });

  test('signs no half of a surrogate pair, which has the bytes of another', () => {
    const { sign } = signedCookies({ keys: [NEW] });
    for (const half of ['\ud800', 'a\udfff']) {
      assert.throws(() => sign('a', half), /a name and a value are text/);
      assert.throws(() => sign(half, 'a'), /a name and a value are text/);
    }
    assert.throws(() => sign('a', 7 as unknown as string), /text, given 7/);
  });

  test('has keys of its own: bytes or text', () => {
    const bytes = Buffer.from(NEW);
    const one = signedCookies({ keys: [bytes] });
    const signed = signedCookies({ keys: [NEW] }).sign('a', '1');
    bytes.fill(0);
    assert.equal(one.sign('a', '1'), signed);
  });

  test('rejects keys and texts that protect nothing', () => {
    const short = 'x'.repeat(SIGNING_KEY_BYTES_MIN - 1);
    for (const keys of [undefined, [], 'a key that is no list', [7], [null], [short], [NEW, '']]) {
      assert.throws(
        () => signedCookies({ keys } as never),
        /^(Type|Range)Error: signedCookies\(\)/,
      );
    }
    assert.throws(() => signedCookies({} as never), /keys are missing/);
    assert.throws(
      () => signedCookies({ keys: [NEW], key: OLD } as never),
      /there is no option "key"/,
    );
    assert.ok(signedCookies({ keys: [`${short}x`] }));
    const { sign } = signedCookies({ keys: [NEW] });
    for (const value of ['\ud800', 'a\udc00', 7, undefined]) {
      assert.throws(() => sign('a', value as string), /a name and a value are text/);
    }
  });

  test('sets and gets through requests; of several cookies the signed one counts', async () => {
    const cookies = signedCookies({ keys: [NEW] });
    const routes = (server: Server) => {
      server.get('/set', (_request, response) => {
        cookies.set(response, 'user', 'Ada é; x', { httpOnly: true });
        response.empty();
      });
      server.get('/get', (request, response) => {
        response.json({ user: cookies.get(request, 'user') ?? null });
      });
    };
    await withSite(routes, async ({ ask }) => {
      const field = (await ask(get('/set'))).field('set-cookie') ?? '';
      assert.match(field, /^user=Ada%20%C3%A9%3B%20x\.[\w-]{43}; Path=\/; HttpOnly$/);
      const cookie = field.slice(0, field.indexOf(';'));
      const user = async (...lines: string[]) => (await ask(get('/get', ...lines))).text;
      assert.equal(await user(`Cookie: ${cookie}`), '{"user":"Ada é; x"}');
      assert.equal(await user(`Cookie: user=Eve; ${cookie}; user=Eve`), '{"user":"Ada é; x"}');
      assert.equal(await user(`Cookie: ${cookie.replace('Ada', 'Eve')}`), '{"user":null}');
      assert.equal(await user(`Cookie: ${cookie.replace('user', 'User')}`), '{"user":null}');
      assert.equal(await user(), '{"user":null}');
    });
  });
});
