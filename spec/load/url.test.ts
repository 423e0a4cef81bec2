// The URLs that a load takes, and the problems of those that it rejects.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseUrl } from '../../src/load/url.ts';

const hrefs: readonly (readonly [text: string, href: string])[] = [
  ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080/'],
  ['HTTP://Example.com', 'http://example.com/'],
  ['http://localhost:65535/a?b=c', 'http://localhost:65535/a?b=c'],
  ['http://[::1]:8080/x', 'http://[::1]:8080/x'],
  ['http://[::1]', 'http://[::1]/'],
  ['http://a:80', 'http://a/'],
  ['http://a/x@y:z', 'http://a/x@y:z'],
  ['http://a/%20', 'http://a/%20'],
];

const rejected: readonly (readonly [text: string, why: RegExp])[] = [
  ['http://', /^http:\/\/: the host is missing, as in /],
  ['http:///x', /the host is missing/],
  ['http://:80/', /the host is missing/],
  ['http://?a', /the host is missing/],
  ['http:/x', /^http:\/x: not a URL such as http:\/\/127\.0\.0\.1:8080\/$/],
  ['http:x', /not a URL such as/],
  ['ftp://a/', /not a URL such as/],
  ['', /^"": not a URL such as/],
  ['http://8080', /8080 is not a host; did you mean http:\/\/127\.0\.0\.1:8080\/\?$/],
  ['http://8080/x', /8080 is not a host/],
  ['http://a:99999/', /the port is 99999, allowed: 1 to 65535$/],
  ['http://a:0/', /the port is 0, allowed/],
  ['http://a:b/', /the port is b, allowed/],
  ['http://[::1]:70000/', /the port is 70000, allowed/],
  ['http://[::1', /./],
  ['https://a/', /^https:\/\/a\/: TLS is not supported, use http:\/\/$/],
  ['HTTPS://', /TLS is not supported/],
  ['http://me:secret@a/', /^http:\/\/\.\.\.@a\/: user and password are not allowed/],
  ['http://me@a/', /user and password/],
  ['http://a/b c', /^"http:\/\/a\/b c": spaces, backslashes and/],
  [' http://a/', /: spaces, backslashes/],
  ['http://a/\r\nX: y', /^"http:\/\/a\/\\r\\nX: y": spaces, backslashes and control/],
  ['http://a\\b/', /: spaces, backslashes/],
];

describe('a URL of a load', () => {
  for (const [text, href] of hrefs) {
    it(`is ${text}`, () => {
      const url = parseUrl(text);
      assert.ok(typeof url !== 'string', String(url));
      assert.equal(url.href, href);
    });
  }

  for (const [text, why] of rejected) {
    it(`is not ${JSON.stringify(text)}`, () => {
      const problem = parseUrl(text);
      assert.ok(typeof problem === 'string', String(problem));
      assert.match(problem, why);
      assert.doesNotMatch(problem, /\n|secret/);
    });
  }

  it('that is very long is shortened in the problem', () => {
    assert.ok(String(parseUrl(`ftp://${'a'.repeat(10_000)}`)).length < 200);
  });
});
