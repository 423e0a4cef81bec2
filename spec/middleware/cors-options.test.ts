// The options that cors() rejects when it is created.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CorsOptions, cors } from '../../src/middleware/cors.ts';

function assertRejected(options: unknown, message: RegExp | typeof TypeError = TypeError): void {
  const made = () => cors(options as CorsOptions);
  assert.throws(made, TypeError, JSON.stringify(options));
  if (message instanceof RegExp) assert.throws(made, { message });
}

test('credentials require listed origins', () => {
  for (const origin of [undefined, '*']) {
    const options = origin === undefined ? {} : { origin };
    assertRejected({ ...options, credentials: true }, /credentials.*list of origins.*function/);
  }
  for (const origin of ['https://a.test', ['https://a.test'], [], () => true]) {
    cors({ origin, credentials: true });
  }
});

test('an origin must be written as browsers send it', () => {
  const good = [
    'https://a.test',
    'http://a.test:8080',
    'http://localhost:3000',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'https://xn--bcher-kva.test',
    'https://a_b.test',
    'chrome-extension://abcdefghijklmnop',
    'capacitor://localhost',
    'null',
  ];
  for (const origin of good) {
    cors({ origin });
    cors({ origin: [origin] });
  }
  const bad: readonly (readonly [string, RegExp])[] = [
    ['https://a.test/', /"https:\/\/a\.test\/".*did you mean "https:\/\/a\.test"/],
    ['https://a.test/path', /did you mean "https:\/\/a\.test"/],
    ['https://a.test?x', /did you mean "https:\/\/a\.test"/],
    ['https://user@a.test', /did you mean "https:\/\/a\.test"/],
    ['https://A.test', /did you mean "https:\/\/a\.test"/],
    ['HTTPS://a.test', /did you mean "https:\/\/a\.test"/],
    ['https://a.test:443', /did you mean "https:\/\/a\.test"/],
    ['http://a.test:80', /did you mean "http:\/\/a\.test"/],
    ['https://b\u00fccher.test', /did you mean "https:\/\/xn--bcher-kva\.test"/],
    [' https://a.test', /did you mean "https:\/\/a\.test"/],
    ['https://a.test, https://b.test', /"https:\/\/a\.test, https:\/\/b\.test"/],
    ['https://*.a.test', /pass a function/],
    ['a.test', /scheme:\/\/host/],
    ['a.test:8080', /scheme:\/\/host/],
    ['//a.test', /scheme:\/\/host/],
    ['https://', /scheme:\/\/host/],
    ['https://a.test:', /did you mean "https:\/\/a\.test"/],
    ['https://a.test:99999', /scheme:\/\/host/],
    ['NULL', /scheme:\/\/host/],
    ['', /scheme:\/\/host/],
  ];
  for (const [origin, message] of bad) {
    assertRejected({ origin }, message);
    assertRejected({ origin: ['https://a.test', origin] }, message);
  }
});

test('* is not allowed in a list', () => {
  assertRejected({ origin: ['*'] }, /'\*'/);
  assertRejected({ origin: ['https://a.test', '*'] }, /'\*'/);
});

test('origin must be a string, a list of strings or a function', () => {
  for (const origin of [5, [5], null, true, false, {}, new Set(['https://a.test']), [['x']], /a/]) {
    assertRejected({ origin }, /origin/);
  }
});

test('methods and fields must be lists of tokens', () => {
  for (const option of ['methods', 'allowedHeaders', 'exposedHeaders']) {
    for (const list of ['GET', 'X-A, X-B', [5], [''], ['a b'], ['A\r\nB'], ['x: y'], null, {}, 5]) {
      assertRejected({ [option]: list }, new RegExp(option));
    }
    cors({ [option]: [] });
  }
});

test('* in a list of names requires that there are no credentials', () => {
  for (const option of ['methods', 'allowedHeaders', 'exposedHeaders']) {
    cors({ [option]: ['*'] });
    const options = { origin: 'https://a.test', credentials: true };
    assertRejected({ ...options, [option]: ['*'] }, new RegExp(`${option}.*'\\*'`));
  }
});

test('credentials must be a boolean, maxAgeSeconds a whole number', () => {
  for (const credentials of ['true', 'false', 1, 0, null, {}]) {
    assertRejected({ origin: 'https://a.test', credentials }, /credentials/);
  }
  for (const maxAgeSeconds of [
    -1,
    1.5,
    '600',
    Number.NaN,
    Number.POSITIVE_INFINITY,
    null,
    2 ** 60,
  ]) {
    assertRejected({ maxAgeSeconds }, /maxAgeSeconds/);
  }
});

test('a later change of a list has no effect', () => {
  const origin = ['https://a.test'];
  cors({ origin });
  assert.doesNotThrow(() => cors({ origin: Object.freeze(['https://a.test']) as string[] }));
});
