// securityHeaders(): the defaults, each option, fields that a handler sets itself, and the values
// that are rejected because browsers would ignore them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HttpError } from '../../src/exchange/http-error.ts';
import { prepare } from '../../src/exchange/prepared.ts';
import { exchangeOf } from '../../src/exchange/request.ts';
import {
  type SecurityHeadersOptions,
  securityHeaders,
} from '../../src/middleware/security-headers.ts';
import type { Server } from '../../src/server/server.ts';
import { get } from '../../testing/raw-client.ts';
import type { RawResponse } from '../../testing/raw-response.ts';
import { withSite } from '../../testing/virtual-site.ts';

const ready = prepare(200, {}, 'ready');

function routes(options?: SecurityHeadersOptions): (server: Server) => void {
  return (server) => {
    server.use('/https', (request, _response, next) => {
      exchangeOf(request).forwarded = { protocol: 'https', host: null };
      return next();
    });
    server.use(securityHeaders(options));
    server.get('/', (_request, response) => response.html('<p>'));
    server.get('/https', (_request, response) => response.html('<p>'));
    server.get('/ready', (_request, response) => response.prepared(ready));
    server.get('/own', (_request, response) =>
      response.header('X-Frame-Options', 'DENY').header('Referrer-Policy', 'origin').text('own'),
    );
    server.get('/error', () => {
      throw new HttpError(403);
    });
  };
}

async function responseTo(target: string, options?: SecurityHeadersOptions): Promise<RawResponse> {
  let found: RawResponse | undefined;
  await withSite(routes(options), async ({ ask }) => {
    found = await ask(get(target));
  });
  assert.ok(found !== undefined);
  return found;
}

const DEFAULTS: Readonly<Record<string, string>> = {
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'; " +
    "object-src 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'SAMEORIGIN',
  'Referrer-Policy': 'strict-origin-when-cross-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

const TURNED_OFF: SecurityHeadersOptions = {
  contentSecurityPolicy: false,
  strictTransportSecurity: false,
  contentTypeOptions: false,
  frameOptions: false,
  referrerPolicy: false,
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  crossOriginEmbedderPolicy: false,
  permissionsPolicy: false,
};

const NAMES = [
  ...Object.keys(DEFAULTS),
  'Strict-Transport-Security',
  'Cross-Origin-Embedder-Policy',
];

describe('fields', () => {
  test('the defaults are on every response, also errors and prepared ones', async () => {
    for (const target of ['/', '/ready', '/error', '/missing']) {
      const response = await responseTo(target);
      for (const name of NAMES) assert.equal(response.field(name), DEFAULTS[name], name);
    }
  });

  test('each can be turned off', async () => {
    const none = await responseTo('/https', TURNED_OFF);
    for (const name of NAMES) assert.equal(none.field(name), undefined, name);
    const options = Object.keys(TURNED_OFF);
    for (const option of options) {
      const response = await responseTo('/https', { [option]: false });
      const missing = Object.keys(DEFAULTS).filter((name) => response.field(name) === undefined);
      const isHsts = response.field('strict-transport-security') === undefined;
      const expected = ['crossOriginEmbedderPolicy', 'strictTransportSecurity'].includes(option);
      assert.equal(missing.length, expected ? 0 : 1, option);
      assert.equal(isHsts, option === 'strictTransportSecurity', option);
    }
  });

  test('a handler replaces them for its response', async () => {
    const response = await responseTo('/own');
    assert.deepEqual(response.all('x-frame-options'), ['DENY']);
    assert.deepEqual(response.all('referrer-policy'), ['origin']);
    assert.equal(response.field('x-content-type-options'), 'nosniff');
  });

  test('values', async () => {
    const response = await responseTo('/', {
      contentSecurityPolicy: {
        'default-src': ["'none'"],
        'script-src': ["'self'", "'sha256-abc='", 'https://cdn.test', 'https:'],
        'img-src': ['*', 'data:'],
        'upgrade-insecure-requests': [],
        sandbox: ['allow-forms'],
      },
      frameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      crossOriginOpenerPolicy: 'unsafe-none',
      crossOriginResourcePolicy: 'cross-origin',
      crossOriginEmbedderPolicy: 'require-corp',
      permissionsPolicy: {
        geolocation: ['self', 'https://maps.test', 'http://*.maps.test:8080'],
        fullscreen: ['*'],
        'picture-in-picture': [],
      },
    });
    const expected: Readonly<Record<string, string>> = {
      'Content-Security-Policy':
        "default-src 'none'; script-src 'self' 'sha256-abc=' https://cdn.test https:; " +
        'img-src * data:; upgrade-insecure-requests; sandbox allow-forms',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'unsafe-none',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
      'Permissions-Policy':
        'geolocation=(self "https://maps.test" "http://*.maps.test:8080"), fullscreen=(*), ' +
        'picture-in-picture=()',
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(response.field(name), value);
    const text = "default-src 'self'; script-src 'nonce-x'";
    const whole = await responseTo('/', { contentSecurityPolicy: text });
    assert.equal(whole.field('content-security-policy'), text);
  });

  test('Strict-Transport-Security only over https, unless always', async () => {
    const name = 'strict-transport-security';
    assert.equal((await responseTo('/')).field(name), undefined);
    assert.equal((await responseTo('/https')).field(name), 'max-age=31536000');
    const options = {
      strictTransportSecurity: {
        maxAgeSeconds: 63_072_000,
        includeSubDomains: true,
        preload: true,
      },
    };
    assert.equal((await responseTo('/', options)).field(name), undefined);
    const value = 'max-age=63072000; includeSubDomains; preload';
    assert.equal((await responseTo('/https', options)).field(name), value);
    const year = { maxAgeSeconds: 31_536_000, includeSubDomains: true, preload: true };
    const least = await responseTo('/https', { strictTransportSecurity: year });
    assert.equal(least.field(name), 'max-age=31536000; includeSubDomains; preload');
    const always = { strictTransportSecurity: { maxAgeSeconds: 0, always: true } };
    assert.equal((await responseTo('/', always)).field(name), 'max-age=0');
  });
});

test('values that browsers would ignore or misread are rejected', () => {
  const csp = (contentSecurityPolicy: unknown) => ({ contentSecurityPolicy });
  const hsts = (strictTransportSecurity: unknown) => ({ strictTransportSecurity });
  const permissions = (permissionsPolicy: unknown) => ({ permissionsPolicy });
  const bad: readonly (readonly [unknown, RegExp])[] = [
    [csp({ 'default-src': ['self'] }), /needs quotes: "'self'"/],
    [csp({ 'script-src': ['unsafe-inline'] }), /needs quotes/],
    [csp({ 'script-src': ['Self'] }), /needs quotes: "'Self'"/],
    [csp({ 'script-src': ['NONCE-abc'] }), /needs quotes/],
    [csp({ 'script-src': ['nonce-abc'] }), /needs quotes/],
    [csp({ 'script-src': ['sha256-abc='] }), /needs quotes/],
    [csp({ 'script-src': ["'none'", "'self'"] }), /'none' stands alone/],
    [csp({ 'script-src': ["'self'", "'none'"] }), /'none' stands alone/],
    [csp({ 'script-src': ['a.test; img-src'] }), /is not a source/],
    [csp({ 'script-src': ['a.test, b.test'] }), /is not a source/],
    [csp({ 'script-src': ['a.test b.test'] }), /is not a source/],
    [csp({ 'script-src': ['a\r\nb'] }), /is not a source/],
    [csp({ 'script-src': ['caf\u00e9.test'] }), /is not a source/],
    [csp({ 'script-src': "'self'" }), /list of sources/],
    [csp({ scriptSrc: ["'self'"] }), /no directive "scriptSrc"/],
    [csp({ 'scripts-src': ["'self'"] }), /no directive/],
    [csp({}), /has no directive/],
    [csp('a\nb'), /printable ASCII/],
    [csp(''), /printable ASCII/],
    [csp(true), /contentSecurityPolicy is false, text/],
    [hsts(true), /strictTransportSecurity is false or an object/],
    [hsts({ maxAge: 1 }), /no option "maxAge"; it knows maxAgeSeconds/],
    [hsts({ maxAgeSeconds: -1 }), /maxAgeSeconds is a whole number/],
    [hsts({ maxAgeSeconds: 1.5 }), /maxAgeSeconds is a whole number/],
    [hsts({ preload: true }), /preload needs includeSubDomains/],
    [hsts({ preload: true, includeSubDomains: true, maxAgeSeconds: 1 }), /preload needs/],
    [hsts({ preload: true, includeSubDomains: true, maxAgeSeconds: 31_535_999 }), /preload needs/],
    [hsts({ includeSubDomains: 1 }), /includeSubDomains is true or false/],
    [permissions({ camera: '()' }), /has a list of origins/],
    [permissions({ 'camera=()': [] }), /name of a feature/],
    [permissions({ Camera: [] }), /name of a feature/],
    [permissions({ camera: ["'self'"] }), /allowed: self/],
    [permissions({ camera: ['https://a.test"'] }), /allowed: self/],
    [permissions([]), /permissionsPolicy is false or an object/],
    [{ frameOptions: 'deny' }, /frameOptions is false or one of 'DENY'/],
    [{ frameOptions: true }, /frameOptions is false or one of/],
    [{ referrerPolicy: 'none' }, /referrerPolicy is false or one of/],
    [{ crossOriginOpenerPolicy: 'cross-origin' }, /crossOriginOpenerPolicy is/],
    [{ crossOriginResourcePolicy: 'x' }, /crossOriginResourcePolicy is/],
    [{ crossOriginEmbedderPolicy: true }, /crossOriginEmbedderPolicy is/],
    [{ contentTypeOptions: true }, /contentTypeOptions is false or one of 'nosniff'/],
    [{ hsts: false }, /no option "hsts"/],
  ];
  for (const [options, message] of bad) {
    const made = () => securityHeaders(options as SecurityHeadersOptions);
    assert.throws(made, { name: 'TypeError', message }, JSON.stringify(options));
  }
});
