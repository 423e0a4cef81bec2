// jwt() with real tokens: which are accepted, the attacks of RFC 8725, and options that are
// rejected because they would accept tokens of an attacker.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { bearerAuth } from '../../src/middleware/bearer-auth.ts';
import { type JwtOptions, jwt } from '../../src/middleware/jwt.ts';
import { get } from '../../testing/raw-client.ts';
import { withSite } from '../../testing/virtual-site.ts';

const pair = await generateKeyPair('ES256', { extractable: true });
const otherPair = await generateKeyPair('ES256', { extractable: true });
const publicJwk = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'ES256' };
const secret = new Uint8Array(32).fill(7);

/** The clock of the virtual site. */
const NOW = 1_600_000_000;
const ES256: JwtOptions = { key: pair.publicKey, algorithms: ['ES256'] };

function sign(claims: JWTPayload, key: typeof pair.privateKey = pair.privateKey): Promise<string> {
  const payload = { exp: NOW + 60, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(key);
}

/** The statuses of requests with these tokens. */
async function statuses(options: JwtOptions, tokens: readonly string[]): Promise<number[]> {
  const found: number[] = [];
  await withSite(
    (server) => {
      server.use(bearerAuth({ verify: jwt(options) }));
      server.get('/', (request, response) => response.json(request.state['claims']));
    },
    async ({ ask, virtual }) => {
      virtual.driver.wallMs = NOW * 1000;
      for (const token of tokens) {
        found.push((await ask(get('/', `Authorization: Bearer ${token}`))).status);
      }
    },
  );
  return found;
}

function base64url(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

test('a signature by the key is accepted, any other token is not', async () => {
  const good = await sign({ sub: 'ann' });
  const [head, payload, signature] = good.split('.');
  const tokens = [
    good,
    await sign({ sub: 'ann' }, otherPair.privateKey),
    `${head}.${base64url({ sub: 'root', exp: NOW + 60 })}.${signature}`,
    `${head}.${payload}.`,
    `${head}.${payload}`,
    `${base64url({ alg: 'none' })}.${payload}.`,
    `${base64url({ alg: 'None' })}.${payload}.${signature}`,
    'x',
    '..',
    `${good}.${good}`,
  ];
  assert.deepEqual(await statuses(ES256, tokens), [200, ...tokens.slice(1).map(() => 401)]);
});

test('a public key is never taken for the secret of an HMAC', async () => {
  const signed = `${base64url({ alg: 'HS256' })}.${base64url({ sub: 'root', exp: NOW + 60 })}`;
  const bytes = JSON.stringify(publicJwk);
  const forged = `${signed}.${createHmac('sha256', bytes).update(signed).digest('base64url')}`;
  assert.deepEqual(await statuses(ES256, [forged]), [401]);
  assert.deepEqual(await statuses({ ...ES256, key: publicJwk }, [forged]), [401]);
});

test('times are those of the server, with the tolerance', async () => {
  const tokens = [
    await sign({ exp: NOW + 1 }),
    await sign({ exp: NOW - 1 }),
    await sign({ exp: NOW - 20 }),
    await sign({ nbf: NOW + 5 }),
    await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(pair.privateKey),
  ];
  assert.deepEqual(await statuses(ES256, tokens), [200, 401, 401, 401, 401]);
  const tolerant = { ...ES256, clockToleranceSeconds: 10 };
  assert.deepEqual(await statuses(tolerant, tokens), [200, 200, 401, 200, 401]);
});

test('issuer and audience must match when they are given', async () => {
  const tokens = [
    await sign({ iss: 'https://a.test', aud: 'api' }),
    await sign({ iss: 'https://a.test', aud: ['other', 'api'] }),
    await sign({ iss: 'https://b.test', aud: 'api' }),
    await sign({ iss: 'https://a.test', aud: 'other' }),
    await sign({ iss: 'https://a.test' }),
    await sign({ aud: 'api' }),
  ];
  const options = { ...ES256, issuer: 'https://a.test', audience: ['api', 'api2'] };
  assert.deepEqual(await statuses(options, tokens), [200, 200, 401, 401, 401, 401]);
  assert.deepEqual(await statuses(ES256, tokens), [200, 200, 200, 200, 200, 200]);
});

test('a secret', async () => {
  const header = { alg: 'HS256' };
  const good = await new SignJWT({ exp: NOW + 60 }).setProtectedHeader(header).sign(secret);
  const other = await new SignJWT({ exp: NOW + 60 })
    .setProtectedHeader(header)
    .sign(new Uint8Array(32));
  const options: JwtOptions = { key: secret, algorithms: ['HS256'] };
  assert.deepEqual(await statuses(options, [good, other]), [200, 401]);
});

test('a set of keys: by the kid, local or fetched; 503 while it cannot be fetched', async () => {
  const unknown = new SignJWT({ exp: NOW + 60 }).setProtectedHeader({ alg: 'ES256', kid: 'none' });
  const tokens = [
    await sign({}),
    await sign({}, otherPair.privateKey),
    await unknown.sign(pair.privateKey),
  ];
  const keys = [{ ...(await exportJWK(otherPair.publicKey)), kid: 'two', alg: 'ES256' }, publicJwk];
  const algorithms = ['ES256'];
  assert.deepEqual(await statuses({ jwks: { keys }, algorithms }, tokens), [200, 401, 401]);
  let fetched = 0;
  const issuer = createServer((_request, response) => {
    fetched += 1;
    response.end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  const { port } = issuer.address() as AddressInfo;
  const jwks = `http://127.0.0.1:${port}/keys`;
  try {
    assert.deepEqual(
      await statuses({ jwks, algorithms }, [...tokens, ...tokens]),
      [200, 401, 401, 200, 401, 401],
    );
    assert.equal(fetched, 1);
  } finally {
    issuer.closeAllConnections();
    await new Promise((resolve) => issuer.close(resolve));
  }
  assert.deepEqual(await statuses({ jwks, algorithms }, [tokens[0]]), [503]);
});

test('that keys cannot be fetched is logged once in a while', async () => {
  const issuer = createServer();
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  const { port } = issuer.address() as AddressInfo;
  await new Promise((resolve) => issuer.close(resolve));
  const jwks = `http://127.0.0.1:${port}/keys`;
  const authorization = `Authorization: Bearer ${await sign({})}`;
  await withSite(
    (server) => {
      server.use(bearerAuth({ verify: jwt({ jwks, algorithms: ['ES256'] }) }));
    },
    async ({ ask, virtual }) => {
      const counts: number[] = [];
      for (const seconds of [0, 9.999, 10, 19.999, 20]) {
        virtual.driver.wallMs = NOW * 1000 + seconds * 1000;
        assert.equal((await ask(get('/', authorization))).status, 503);
        counts.push(virtual.asyncIo.log.filter((line) => line.includes('jwt: http')).length);
      }
      assert.deepEqual(counts, [1, 1, 2, 2, 3]);
    },
  );
});

test('options are checked', () => {
  const key = publicJwk;
  const algorithms = ['ES256'];
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [{}, /one of key and jwks/],
    [{ key, jwks: { keys: [] }, algorithms }, /one of key and jwks/],
    [{ key }, /algorithms is missing/],
    [{ key, algorithms: [] }, /algorithms is a list/],
    [{ key, algorithms: 'ES256' }, /algorithms is a list/],
    [{ key, algorithms: ['none'] }, /'none' is not one/],
    [{ key, algorithms: ['ES256', 'none'] }, /'none' is not one/],
    [{ key, algorithms: ['ES256', 'NONE'] }, /'none' is not one/],
    [{ key, algorithms: ['ES256', 'HS256'] }, /HS256 need a key of bytes/],
    [{ key: secret, algorithms: ['ES256', 'HS256'] }, /no other algorithm/],
    [{ key, algorithms: ['HS256'] }, /HS256 need a key of bytes/],
    [{ jwks: { keys: [] }, algorithms: ['HS256'] }, /HS256 need a key of bytes/],
    [{ key: secret, algorithms }, /need a public key/],
    [{ key: { kty: 'oct', k: 'AA' }, algorithms }, /need a public key/],
    [{ key: secret.subarray(1), algorithms: ['HS256'] }, /at least 32 bytes/],
    [{ key: secret, algorithms: ['HS512'] }, /at least 64 bytes/],
    [{ key: 'text', algorithms }, /key is bytes/],
    [{ jwks: 'http://a.test/keys', algorithms }, /jwks is an https: URL/],
    [{ jwks: 'keys', algorithms }, /jwks is an https: URL/],
    [{ jwks: [], algorithms }, /jwks is an https: URL/],
    [{ jwks: { keys: [1] }, algorithms }, /jwks is an https: URL/],
    [{ key, algorithms, issuer: '' }, /issuer is text/],
    [{ key, algorithms, audience: [] }, /audience is text/],
    [{ key, algorithms, clockToleranceSeconds: -1 }, /clockToleranceSeconds is/],
    [{ key, algorithms, clockToleranceSeconds: 86_400 }, /clockToleranceSeconds is/],
    [{ key, algorithms, audiences: 'x' }, /did you mean audience/],
  ];
  for (const [options, message] of bad) {
    assert.throws(() => jwt(options as JwtOptions), { name: 'TypeError', message });
  }
});
