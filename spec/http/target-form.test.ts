// The four forms of a request target: their recognition, path and query, and invalid targets.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '../../src/http/fault.ts';
import { TargetForm } from '../../src/http/head.ts';
import { parse } from './fixtures/split-head.ts';

const REST = ' HTTP/1.1\r\nHost: a\r\n\r\n';

function taken(line: string): NonNullable<ReturnType<typeof parse>['parts']> {
  const { result, parts } = parse(line + REST);
  assert.equal(result, line.length + REST.length, line);
  assert.ok(parts !== null);
  return parts;
}

function assertRejected(line: string, fault: number = Fault.BadTarget): void {
  assert.equal(parse(line + REST).result, fault, line);
}

describe('origin-form', () => {
  it('a target of 8000 octets is accepted with the default limits', () => {
    const target = `/${'x'.repeat(7_999)}`;
    assert.equal(taken(`GET ${target}`).path, target);
  });

  it('is plain without escapes, dot segments and empty segments', () => {
    for (const path of [
      '/',
      '/a',
      '/.a',
      '/..a',
      '/a.',
      '/a..',
      '/...',
      '/a/.../b',
      '/a/b/',
      '/a?//',
      '/a?b//c/..',
    ]) {
      assert.equal(taken(`GET ${path}`).plainPath, 1, path);
    }
    for (const path of ['/.', '/..', '/./', '/../', '/a/.', '/a/..', '/a/./b', '/a/../b', '/%61']) {
      assert.equal(taken(`GET ${path}`).plainPath, 0, path);
    }
    for (const path of ['//', '//a', '/a//', '/a//b', '/a///b', '/a//?b', '/a/b//c?d']) {
      assert.equal(taken(`GET ${path}`).plainPath, 0, path);
    }
  });
});

describe('absolute-form', () => {
  it('has its path and query at their offsets', () => {
    for (const [target, path, query] of [
      ['http://b', '', null],
      ['http://b/', '/', null],
      ['http://b/x/y', '/x/y', null],
      ['http://b?q', '', 'q'],
      ['http://b/x?q', '/x', 'q'],
      ['http://b/x?q?r/s', '/x', 'q?r/s'],
      ['https://b:443/x', '/x', null],
      ['HTTPS://b/x', '/x', null],
      ['hTtP://[::1]:80/x', '/x', null],
    ] as const) {
      const parts = taken(`GET ${target}`);
      assert.equal(parts.form, TargetForm.Absolute, target);
      assert.equal(parts.target, target);
      assert.deepEqual([parts.path, parts.query], [path, query], target);
    }
  });

  it('determines whether its path is plain', () => {
    assert.equal(taken('GET http://b/x/y').plainPath, 1);
    assert.equal(taken('GET http://b/x/../y').plainPath, 0);
    assert.equal(taken('GET http://b/%78').plainPath, 0);
    assert.equal(taken('GET http://b//').plainPath, 0);
    assert.equal(taken('GET http://b//x').plainPath, 0);
    assert.equal(taken('GET http://b/x//y?z').plainPath, 0);
    assert.equal(taken('GET http://b/x//').plainPath, 0);
    assert.equal(taken('GET http://b').plainPath, 1);
    assert.equal(taken('GET http://b/').plainPath, 1);
    assert.equal(taken('GET http://b?//').plainPath, 1);
    assert.equal(taken('GET http://b/x?//').plainPath, 1);
    // The dots are in the query or in the host.
    assert.equal(taken('GET http://b/x?/../').plainPath, 1);
    assert.equal(taken('GET http://../x').plainPath, 1);
  });

  it('without a host is rejected, with http and https', () => {
    for (const scheme of ['http', 'https', 'HTTP']) {
      for (const rest of ['://', ':///', ':///x', '://?q', '://:80', '://:80/x']) {
        assertRejected(`GET ${scheme}${rest}`);
      }
    }
  });

  it('with another or an incomplete scheme is rejected', () => {
    for (const target of [
      'h://b/',
      'htt://b/',
      'httpx://b/',
      'httpss://b/',
      'hxxp://b/',
      'http',
      'http:',
      'http:/',
      'http:/b/',
      'http:b',
      'http/:/b',
      'http:/x/b',
      'http:x//b',
      'https',
    ]) {
      assertRejected(`GET ${target}`);
    }
  });

  it('with user information is rejected', () => {
    assertRejected('GET http://user@b/');
    assertRejected('GET http://user:pass@b/');
  });
});

describe('authority-form', () => {
  it('is for CONNECT, with a port', () => {
    const parts = taken('CONNECT b:443');
    assert.deepEqual(
      [parts.form, parts.target, parts.path, parts.query, parts.plainPath],
      [TargetForm.Authority, 'b:443', '', null, 1],
    );
    assert.equal(taken('CONNECT [::1]:1').form, TargetForm.Authority);
    for (const target of ['b', 'b:', ':443', 'b:x', 'b:65536', '/', '*', 'http://b/']) {
      assertRejected(`CONNECT ${target}`);
    }
  });
});

describe('asterisk-form', () => {
  it('is only for OPTIONS', () => {
    const parts = taken('OPTIONS *');
    assert.deepEqual(
      [parts.form, parts.target, parts.path, parts.query, parts.plainPath],
      [TargetForm.Asterisk, '*', '', null, 1],
    );
    assertRejected('OPTIONS **');
    assertRejected('OPTIONS */');
    assertRejected('GET *');
    assertRejected('CONNECT *');
  });
});

it('a target with any other first byte is rejected', () => {
  for (const target of ['a', 'b/', '?', '.', '-', 'G', 'ihttp://b/']) {
    assertRejected(`GET ${target}`);
  }
});
