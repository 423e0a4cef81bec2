// Route patterns: which are valid, and the error messages for the others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  PARAMS_MAX,
  parsePattern,
  parsePrefix,
  SEGMENT_PARAMS_MAX,
  SEGMENTS_MAX,
  SegmentKind,
} from '../../src/route/pattern.ts';

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

const STATIC: [pattern: string, path: string][] = [
  ['/', '/'],
  ['/a', '/a'],
  ['/a/', '/a/'],
  ['/caf%C3%A9', '/café'],
  ['/café', '/café'],
  ['/a%20b+c', '/a b+c'],
  ['/100%25', '/100%'],
  ['/%3Aid', '/:id'],
  ['/%2a', '/*'],
  ['/what%3F%23', '/what?#'],
  ['/%7Bid%7D', '/{id}'],
  ['/.well-known/...', '/.well-known/...'],
];

for (const [pattern, path] of STATIC) {
  test(`${pattern} is the static path ${path}`, () => {
    const parsed = parsePattern(pattern);
    assert.deepEqual(parsed.names, []);
    const texts = parsed.segments.map((segment) => {
      return segment.kind === SegmentKind.Literal ? textOf(segment.bytes) : segment.kind;
    });
    assert.equal(`/${texts.join('/')}`, path);
  });
}

const NAMED: [pattern: string, names: string[]][] = [
  ['/:id', ['id']],
  ['/*', ['*']],
  ['/a/*', ['*']],
  ['/:a/x/:_b2/*', ['a', '_b2', '*']],
  ['/v:id', ['id']],
  ['/:a-b', ['a']],
  ['/:year-:month(int).json/:id(uuid)', ['year', 'month', 'id']],
  ['/.:a', ['a']],
  ['/:A/:a', ['A', 'a']],
];

for (const [pattern, names] of NAMED) {
  test(`${pattern} has the parameters ${names}`, () => {
    assert.deepEqual(parsePattern(pattern).names, names);
  });
}

const BAD: [pattern: string, reason: RegExp][] = [
  ['', /must begin with '\/'/],
  ['a', /must begin with '\/'/],
  ['*', /must begin with '\/'/],
  [':id', /must begin with '\/'/],
  ['/*/a', /'\*' must be the last segment/],
  ['/*/', /'\*' must be the last segment/],
  ['/*/*', /'\*' must be the last segment/],
  ['/a*', /'\*' must be a segment of its own/],
  ['/*.js', /'\*' must be a segment of its own/],
  ['/**', /'\*' must be a segment of its own/],
  ['/:', /':' must be followed by a name/],
  ['/a/:/b', /':' must be followed by a name/],
  ['/:1a', /parameter name "1a" must begin with a letter/],
  ['/:é', /parameter name "é"/],
  ['/x:', /':' must be followed by a name/],
  ['/:a*', /'\*' must be a segment of its own/],
  ['/:a:b', /a literal must be between ':a' and ':b'/],
  ['/:a(int):b', /a literal must be between ':a' and ':b'/],
  ['/:a-:a', /':a' occurs twice/],
  ['/:a(it)', /unknown constraint "it"; there are uuid, int, .*, alnum; did you mean int\?/],
  ['/:a(\\d+)', /unknown constraint "\\\\d\+"; there are uuid, int, hex, slug, alpha, alnum \(/],
  ['/:a()', /unknown constraint ""/],
  ['/:a(INT)', /unknown constraint "INT"/],
  ['/:a(int', /must be a name in parentheses, as ':a\(int\)'/],
  ['/:a((int))', /must be a name in parentheses/],
  ['/:a%C3:b', /valid UTF-8/],
  ['/:a%2F', /encoded slash/],
  ['/:a?', /must not contain '\?': register two routes for an optional part/],
  ['/:a+', /':a' is one segment; '\*' at the end is several \(a literal '\+' is %2B\)/],
  ['/x/:a-:b(int)+/y', /':b' is one segment/],
  ['/:a/b/:a', /':a' occurs twice/],
  ['/a\0', /must not contain NUL/],
  ['/a%00', /encoded NUL/],
  ['/a%2Fb', /encoded slash/],
  ['/a%2fb', /encoded slash/],
  ['/a?b', /must not contain '\?'/],
  ['/a#b', /must not contain '#'/],
  ['/:id{[0-9]+}', /must not contain '\{': .* ':id\(int\)'.* register two routes .* %7B\)/],
  ['/a{/:id}', /must not contain '\{'/],
  ['/a}', /must not contain '\}' \(a literal '\}' is %7D\)/],
  ['/100%', /valid UTF-8/],
  ['/%zz', /valid UTF-8/],
  ['/%FF', /valid UTF-8/],
  ['/%C3/x', /valid UTF-8/],
  ['/\ud800', /surrogate/],
  ['/a/../b', /dot segments of a path are removed first/],
  ['/.', /dot segments of a path are removed first/],
  ['/%2e%2E', /dot segments of a path are removed first/],
  ['//', /must not contain '\/\/'/],
  ['//a', /must not contain '\/\/'/],
  ['/a//b', /must not contain '\/\/'/],
  ['/a//', /must not contain '\/\/'/],
  ['/:a//:b', /must not contain '\/\/'/],
  ['/a//*', /must not contain '\/\/'/],
  ['//*', /must not contain '\/\/'/],
];

for (const [pattern, reason] of BAD) {
  test(`${JSON.stringify(pattern)} is rejected`, () => {
    assert.throws(
      () => parsePattern(pattern),
      (error) => {
        assert(error instanceof TypeError);
        assert.match(error.message, reason);
        assert(error.message.includes(JSON.stringify(pattern)), error.message);
        return true;
      },
    );
  });
}

test('a prefix is the decoded bytes with which paths below it begin', () => {
  for (const [prefix, bytes] of [
    ['/', ''],
    ['/a', '/a'],
    ['/a/', '/a'],
    ['/a/b', '/a/b'],
    ['/%61/%C3%A9', '/a/é'],
    ['/a%20b', '/a b'],
    ['/%2a%3A%25', '/*:%'],
  ]) {
    assert.equal(textOf(parsePrefix(prefix)), bytes, prefix);
  }
  assert.throws(() => parsePrefix('/a'.repeat(SEGMENTS_MAX + 1)), /more than 128 segments/);
  for (const prefix of ['//', '//x', '/x//', '/x//y']) {
    assert.throws(() => parsePrefix(prefix), /^TypeError: prefix .* must not contain '\/\/'/);
  }
});

test('the numbers of parameters and segments are limited', () => {
  const params = (count: number): string =>
    Array.from({ length: count }, (_, index) => `/:p${index}`).join('');
  assert.equal(parsePattern(params(PARAMS_MAX)).names.length, PARAMS_MAX);
  assert.throws(() => parsePattern(params(PARAMS_MAX + 1)), /more than 32 parameters/);
  const shaped = (count: number): string =>
    `/${Array.from({ length: count }, (_, index) => `:s${index}`).join('-')}`;
  assert.equal(parsePattern(shaped(SEGMENT_PARAMS_MAX)).names.length, SEGMENT_PARAMS_MAX);
  assert.throws(() => parsePattern(shaped(SEGMENT_PARAMS_MAX + 1)), /a segment has more than 8/);
  assert.equal(parsePattern('/a'.repeat(SEGMENTS_MAX)).segments.length, SEGMENTS_MAX);
  assert.throws(() => parsePattern(`${params(PARAMS_MAX)}/*`), /more than 32 parameters/);
  assert.equal(parsePattern('/a'.repeat(SEGMENTS_MAX)).segments.length, SEGMENTS_MAX);
  assert.throws(() => parsePattern('/a'.repeat(SEGMENTS_MAX + 1)), /more than 128 segments/);
});
