// What cors() refuses when it is registered, before any request could be let in by a mistake.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CorsOptions, cors } from '../../src/middleware/cors.ts';

function refused(options: unknown, message: RegExp | typeof TypeError = TypeError): void {
  const made = () => cors(options as CorsOptions);
  assert.throws(made, TypeError, JSON.stringify(options));
  if (message instanceof RegExp) assert.throws(made, { message });
}

test('credentials want the origins by name', () => {
  for (const origin of [undefined, '*']) {
    const options = origin === undefined ? {} : { origin };
    refused({ ...options, credentials: true }, /credentials.*list of origins.*function/);
  }
  for (const origin of ['https://a.test', ['https://a.test'], [], () => true]) {
    cors({ origin, credentials: true });
  }
});

test('an origin is written as browsers send it', () => {
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
    refused({ origin }, message);
    refused({ origin: ['https://a.test', origin] }, message);
  }
});

test('* stands alone', () => {
  refused({ origin: ['*'] }, /'\*'/);
  refused({ origin: ['https://a.test', '*'] }, /'\*'/);
});

test('an origin is a string, a list of strings or a function', () => {
  for (const origin of [5, [5], null, true, false, {}, new Set(['https://a.test']), [['x']], /a/]) {
    refused({ origin }, /origin/);
  }
});

test('methods and fields are lists of tokens', () => {
  for (const option of ['methods', 'allowedHeaders', 'exposedHeaders']) {
    for (const list of ['GET', 'X-A, X-B', [5], [''], ['a b'], ['A\r\nB'], ['x: y'], null, {}, 5]) {
      refused({ [option]: list }, new RegExp(option));
    }
    cors({ [option]: [] });
  }
});

test('* in a list means all only where there are no credentials', () => {
  for (const option of ['methods', 'allowedHeaders', 'exposedHeaders']) {
    cors({ [option]: ['*'] });
    const options = { origin: 'https://a.test', credentials: true };
    refused({ ...options, [option]: ['*'] }, new RegExp(`${option}.*'\\*'`));
  }
});

test('credentials is true or false, maxAgeSeconds a whole number', () => {
  for (const credentials of ['true', 'false', 1, 0, null, {}]) {
    refused({ origin: 'https://a.test', credentials }, /credentials/);
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
    refused({ maxAgeSeconds }, /maxAgeSeconds/);
  }
});

test('a list that is changed afterwards changes nothing', () => {
  const origin = ['https://a.test'];
  cors({ origin });
  assert.doesNotThrow(() => cors({ origin: Object.freeze(['https://a.test']) as string[] }));
});
