// The router: the route of a path by tables and by a model, and the cost of a search.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import fc from 'fast-check';
import { Method } from '../../src/http/method.ts';
import { Found, Match } from '../../src/route/match.ts';
import { Router } from '../../src/route/router.ts';
import {
  allowed,
  modelAllowed,
  modelSearch,
  routerOf,
  search,
  shapeOf,
} from './fixtures/fixture.ts';

interface Table {
  name: string;
  routes: string[];
  /** Method and path, then the route found with its parameters, or 'no' or 'wrong method'. */
  searches: [request: string, route: string, params?: Record<string, string>][];
}

const TABLES: Table[] = [
  {
    name: 'static paths are compared completely',
    routes: ['GET /', 'GET /a', 'GET /a/', 'GET /a/b'],
    searches: [
      ['GET /', 'GET /'],
      ['GET /a', 'GET /a'],
      ['GET /a/', 'GET /a/'],
      ['GET /a/b', 'GET /a/b'],
      ['GET /x/y', 'no'],
      ['GET /A', 'no'],
      ['GET /ab', 'no'],
      ['GET /a/b/', 'no'],
      ['GET //', 'no'],
      ['GET ', 'no'],
      ['GET a', 'no'],
    ],
  },
  {
    name: 'a parameter is one non-empty segment',
    routes: ['GET /users/:id', 'GET /users/:id/posts/:post', 'GET /:a/:b/:c'],
    searches: [
      ['GET /users/7', 'GET /users/:id', { id: '7' }],
      ['GET /users/a.b-c', 'GET /users/:id', { id: 'a.b-c' }],
      ['GET /users/:id', 'GET /users/:id', { id: ':id' }],
      ['GET /users', 'no'],
      ['GET /users/', 'no'],
      ['GET /users/7/', 'no'],
      ['GET /users/7/posts/8', 'GET /users/:id/posts/:post', { id: '7', post: '8' }],
      ['GET /users/7/posts', 'GET /:a/:b/:c', { a: 'users', b: '7', c: 'posts' }],
      ['GET /users//posts', 'no'],
      ['GET 1/2/3', 'no'],
    ],
  },
  {
    name: 'a wildcard matches any rest after its slash, also none',
    routes: ['GET /files/*', 'GET /u/:id/*'],
    searches: [
      ['GET /files/', 'GET /files/*', { '*': '' }],
      ['GET /files/x', 'GET /files/*', { '*': 'x' }],
      ['GET /files/x/y//z/', 'GET /files/*', { '*': 'x/y//z/' }],
      ['GET /files//', 'GET /files/*', { '*': '/' }],
      ['GET /files', 'no'],
      ['GET /filesx', 'no'],
      ['GET /u/7/', 'GET /u/:id/*', { id: '7', '*': '' }],
      ['GET /u/7/a/b', 'GET /u/:id/*', { id: '7', '*': 'a/b' }],
      ['GET /u/7', 'no'],
      ['GET /u//a', 'no'],
    ],
  },
  {
    name: 'the root wildcard matches every path',
    routes: ['GET /*'],
    searches: [
      ['GET /', 'GET /*', { '*': '' }],
      ['GET //', 'GET /*', { '*': '/' }],
      ['GET /a/b', 'GET /*', { '*': 'a/b' }],
      ['GET a', 'no'],
      ['GET ', 'no'],
    ],
  },
  {
    name: 'a literal takes precedence over a parameter, a parameter over a wildcard',
    routes: ['GET /*', 'GET /:a', 'GET /a', 'GET /a/*', 'GET /a/:b', 'GET /a/b', 'GET /:x/b'],
    searches: [
      ['GET /a', 'GET /a'],
      ['GET /b', 'GET /:a', { a: 'b' }],
      ['GET /', 'GET /*', { '*': '' }],
      ['GET /a/b', 'GET /a/b'],
      ['GET /a/c', 'GET /a/:b', { b: 'c' }],
      ['GET /a/', 'GET /a/*', { '*': '' }],
      ['GET /a/b/c', 'GET /a/*', { '*': 'b/c' }],
      ['GET /c/b', 'GET /:x/b', { x: 'c' }],
      ['GET /c/d', 'GET /*', { '*': 'c/d' }],
    ],
  },
  {
    name: 'a dead end backtracks to other matches',
    routes: ['GET /users/me', 'GET /users/:id/edit', 'GET /:any/me/view', 'GET /users/me/a/*'],
    searches: [
      ['GET /users/me', 'GET /users/me'],
      ['GET /users/me/edit', 'GET /users/:id/edit', { id: 'me' }],
      ['GET /users/me/view', 'GET /:any/me/view', { any: 'users' }],
      ['GET /users/me/a/', 'GET /users/me/a/*', { '*': '' }],
      ['GET /users/me/none', 'no'],
    ],
  },
  {
    name: 'backtracking drops the parameters of the dead end',
    routes: ['GET /:a/:b/:c/end', 'GET /:d/*', 'GET /x/:e/:f/:g/end'],
    searches: [
      ['GET /x/2/3/end', 'GET /:a/:b/:c/end', { a: 'x', b: '2', c: '3' }],
      ['GET /x/2/3/4', 'GET /:d/*', { d: 'x', '*': '2/3/4' }],
      ['GET /x/2/3/4/stop', 'GET /:d/*', { d: 'x', '*': '2/3/4/stop' }],
      ['GET /x/2/3/4/end', 'GET /x/:e/:f/:g/end', { e: '2', f: '3', g: '4' }],
    ],
  },
  {
    name: 'the method selects; HEAD falls back to GET, every method to *',
    routes: ['GET /a', 'POST /a', 'PURGE /a', 'HEAD /b', 'GET /b', '* /c', 'GET /c', 'get /d'],
    searches: [
      ['GET /a', 'GET /a'],
      ['POST /a', 'POST /a'],
      ['PURGE /a', 'PURGE /a'],
      ['HEAD /a', 'GET /a'],
      ['HEAD /b', 'HEAD /b'],
      ['HEAD /c', 'GET /c'],
      ['POST /c', '* /c'],
      ['PURGE /c', '* /c'],
      ['TRACE /c', '* /c'],
      ['DELETE /a', 'wrong method'],
      ['BREW /a', 'wrong method'],
      ['GET /d', 'wrong method'],
      ['get /d', 'get /d'],
      ['GET /e', 'no'],
    ],
  },
  {
    name: 'a better path without the method is skipped for one that has it',
    routes: ['GET /a/b', 'PUT /a/:x', 'PURGE /a/*', '* /:y/z', 'GET /:y/:z'],
    searches: [
      ['GET /a/b', 'GET /a/b'],
      ['PUT /a/b', 'PUT /a/:x', { x: 'b' }],
      ['PURGE /a/b', 'PURGE /a/*', { '*': 'b' }],
      ['POST /a/b', 'wrong method'],
      ['POST /a/z', '* /:y/z', { y: 'a' }],
      ['GET /a/z', '* /:y/z', { y: 'a' }],
      ['GET /a/q', 'GET /:y/:z', { y: 'a', z: 'q' }],
    ],
  },
  {
    name: 'methods of one shape may have different parameter names',
    routes: ['GET /:id', 'PUT /:name', 'GET /:a/x', 'GET /:b/y'],
    searches: [
      ['GET /7', 'GET /:id', { id: '7' }],
      ['PUT /7', 'PUT /:name', { name: '7' }],
      ['GET /7/x', 'GET /:a/x', { a: '7' }],
      ['GET /7/y', 'GET /:b/y', { b: '7' }],
    ],
  },
  {
    name: 'parameters within a segment take as few bytes as possible, at least one',
    routes: ['GET /f/:name.json', 'GET /d/:year-:month', 'GET /v:a.:b.x', 'GET /é:l(alpha)è'],
    searches: [
      ['GET /f/a.json', 'GET /f/:name.json', { name: 'a' }],
      ['GET /f/a.json.json', 'GET /f/:name.json', { name: 'a.json' }],
      ['GET /f/.json.json', 'GET /f/:name.json', { name: '.json' }],
      ['GET /f/.json', 'no'],
      ['GET /f/json', 'no'],
      ['GET /f/a.jso', 'no'],
      ['GET /f/a.jsonx', 'no'],
      ['GET /f/a/.json', 'no'],
      ['GET /f/\0.json', 'GET /f/:name.json', { name: '\0' }],
      ['GET /d/2026-11', 'GET /d/:year-:month', { year: '2026', month: '11' }],
      ['GET /d/2026-11-30', 'GET /d/:year-:month', { year: '2026', month: '11-30' }],
      ['GET /d/---', 'GET /d/:year-:month', { year: '-', month: '-' }],
      ['GET /d/--', 'no'],
      ['GET /d/-1', 'no'],
      ['GET /d/1-', 'no'],
      ['GET /v1.2.x', 'GET /v:a.:b.x', { a: '1', b: '2' }],
      ['GET /v1.2.3.x', 'GET /v:a.:b.x', { a: '1', b: '2.3' }],
      ['GET /v1..x', 'no'],
      ['GET /v1.x', 'no'],
      ['GET /éaè', 'GET /é:l(alpha)è', { l: 'a' }],
      ['GET /éè', 'no'],
    ],
  },
  {
    name: 'a constraint selects values, also where another literal has to be taken',
    routes: [
      'GET /:id(int)',
      'GET /:id(hex)',
      'GET /:word(alpha)',
      'GET /:any',
      'GET /p/:title(slug)-:id(int)',
      'GET /q/:a(int).:b-:c(int)',
      'GET /u/:id(uuid)-:n(int)',
    ],
    searches: [
      ['GET /12', 'GET /:id(int)', { id: '12' }],
      ['GET /1a', 'GET /:id(hex)', { id: '1a' }],
      ['GET /ab', 'GET /:id(hex)', { id: 'ab' }],
      ['GET /xy', 'GET /:word(alpha)', { word: 'xy' }],
      ['GET /x1', 'GET /:any', { any: 'x1' }],
      ['GET /-1', 'GET /:any', { any: '-1' }],
      ['GET /1.5', 'GET /:any', { any: '1.5' }],
      ['GET /٣', 'GET /:any', { any: '٣' }],
      ['GET /1\0', 'GET /:any', { any: '1\0' }],
      ['GET /p/my-title-12', 'GET /p/:title(slug)-:id(int)', { title: 'my-title', id: '12' }],
      ['GET /p/1-2-3', 'GET /p/:title(slug)-:id(int)', { title: '1-2', id: '3' }],
      ['GET /p/My-title-12', 'no'],
      ['GET /p/title-', 'no'],
      ['GET /p/title', 'no'],
      ['GET /q/1.a.b-c-2', 'GET /q/:a(int).:b-:c(int)', { a: '1', b: 'a.b-c', c: '2' }],
      ['GET /q/x.a-2', 'no'],
      [
        'GET /u/01234567-89ab-cdef-0123-456789abcdef-7',
        'GET /u/:id(uuid)-:n(int)',
        { id: '01234567-89ab-cdef-0123-456789abcdef', n: '7' },
      ],
    ],
  },
  {
    name: 'a literal, then more literal bytes, then constraints, then a parameter, then the rest',
    routes: [
      'GET /*',
      'GET /:any',
      'GET /:id(alnum)',
      'GET /:a.txt',
      'GET /r:b.txt',
      'GET /r:c(alpha).txt',
      'GET /robots.txt',
    ],
    searches: [
      ['GET /robots.txt', 'GET /robots.txt'],
      ['GET /rob.txt', 'GET /r:c(alpha).txt', { c: 'ob' }],
      ['GET /r1.txt', 'GET /r:b.txt', { b: '1' }],
      ['GET /x.txt', 'GET /:a.txt', { a: 'x' }],
      ['GET /x1', 'GET /:id(alnum)', { id: 'x1' }],
      ['GET /x-1', 'GET /:any', { any: 'x-1' }],
      ['GET /x/y', 'GET /*', { '*': 'x/y' }],
    ],
  },
  {
    name: 'a dead end behind a shape backtracks to other shapes and parameters',
    routes: ['GET /:a.x/one', 'GET /:b/two', 'PUT /:c.x/two', 'GET /:d(int).x/three', 'GET /:e/*'],
    searches: [
      ['GET /1.x/one', 'GET /:a.x/one', { a: '1' }],
      ['GET /1.x/two', 'GET /:b/two', { b: '1.x' }],
      ['PUT /1.x/two', 'PUT /:c.x/two', { c: '1' }],
      ['GET /1.x/three', 'GET /:d(int).x/three', { d: '1' }],
      ['GET /y.x/three', 'GET /:e/*', { e: 'y.x', '*': 'three' }],
    ],
  },
  {
    name: 'an encoded slash, a NUL here, separates nothing and equals no literal',
    routes: ['GET /a/:b', 'GET /a/b/c', 'GET /w/*'],
    searches: [
      ['GET /a/b\0c', 'GET /a/:b', { b: 'b\0c' }],
      ['GET /a/\0', 'GET /a/:b', { b: '\0' }],
      ['GET /a\0b', 'no'],
      ['GET \0a/b', 'no'],
      ['GET /w/\0/x\0', 'GET /w/*', { '*': '\0/x\0' }],
    ],
  },
  {
    name: 'non-ASCII text is compared decoded',
    routes: ['GET /caf%C3%A9', 'GET /日本/:name', 'GET /a b/*'],
    searches: [
      ['GET /café', 'GET /caf%C3%A9'],
      ['GET /cafe', 'no'],
      ['GET /日本/東京', 'GET /日本/:name', { name: '東京' }],
      ['GET /日/東京', 'no'],
    ],
  },
];

for (const { name, routes, searches } of TABLES) {
  for (const order of ['as written', 'reversed']) {
    test(`${name} (${order})`, () => {
      const router = routerOf(order === 'reversed' ? routes.toReversed() : routes);
      for (const [request, expected, params = {}] of searches) {
        const [, method, path] = /^(\S+) (.*)$/s.exec(request) ?? ['', '', ''];
        const response = search(router, method, path);
        const result = { [Found.No]: 'no', [Found.WrongMethod]: 'wrong method' };
        const route = response.found === Found.Yes ? response.route : result[response.found];
        assert.deepEqual(
          { request, route, params: response.params },
          { request, route: expected, params },
        );
        if (response.found !== Found.Yes) assert.equal(response.route, null);
      }
    });
  }
}

test('a path that is the text of a UUID, and one that is not', () => {
  const router = routerOf(['GET /:id(uuid)', 'GET /:id(alnum)', 'GET /:any']);
  const uuid = '01234567-89ab-CDEF-0123-456789abcdef';
  for (const [path, route] of [
    [uuid, 'GET /:id(uuid)'],
    [`${uuid}0`, 'GET /:any'],
    [uuid.slice(1), 'GET /:any'],
    [uuid.replace('8', 'g'), 'GET /:any'],
    [`${'0'.repeat(8)}${uuid.slice(8).replace('-', '0')}`, 'GET /:any'],
    ['-'.repeat(36), 'GET /:any'],
    ['0'.repeat(36), 'GET /:id(alnum)'],
  ]) {
    assert.equal(search(router, 'GET', `/${path}`).route, route, path);
  }
});

test('a pattern with a space matches the decoded space', () => {
  const router = new Router<string>();
  router.add('GET', '/a%20b/:c', 'first');
  assert.deepEqual(search(router, 'GET', '/a b/x y').params, { c: 'x y' });
});

test('a search without a match resets the previous match', () => {
  const router = routerOf(['GET /:id']);
  const match = new Match<string>();
  const path = new TextEncoder().encode('/a/b');
  assert.equal(router.find(Method.GET, '', path, 0, 2, match), Found.Yes);
  assert.equal(match.paramCount, 1);
  for (const [method, to] of [
    [Method.GET, 4],
    [Method.PUT, 2],
  ]) {
    assert.notEqual(router.find(method, '', path, 0, to, match), Found.Yes);
    assert.deepEqual([match.value, match.paramCount, match.names], [null, 0, []]);
  }
});

test('names are one array for all matches of a route', () => {
  const router = routerOf(['GET /:id']);
  const [first, second] = [new Match<string>(), new Match<string>()];
  const path = new TextEncoder().encode('/ab');
  router.find(Method.GET, '', path, 0, 2, first);
  router.find(Method.GET, '', path, 0, 3, second);
  assert.equal(first.names, second.names);
});

const CONFLICTS: [first: string, second: string][] = [
  ['GET /a', 'GET /a'],
  ['GET /a/:x', 'GET /a/:y'],
  ['GET /a/*', 'GET /a/*'],
  ['* /a', '* /a'],
  ['PURGE /:x/b/:y/*', 'PURGE /:y/b/:x/*'],
  ['GET /café', 'GET /caf%C3%A9'],
  ['GET /caf%c3%a9', 'GET /caf%C3%A9'],
  ['GET /:a.json', 'GET /:b.json'],
  ['GET /x/:a-:b(int)', 'GET /x/:c-:d(int)'],
  ['GET /:a(int)/*', 'GET /:b(int)/*'],
];

for (const [first, second] of CONFLICTS) {
  test(`${second} is rejected next to ${first}`, () => {
    const router = routerOf([first]);
    const [method, pattern] = second.split(' ', 2);
    assert.throws(
      () => router.add(method, pattern, 'second'),
      (error) =>
        error instanceof TypeError &&
        error.message.includes(JSON.stringify(pattern)) &&
        error.message.includes(first),
    );
    router.add('LOCK', pattern, 'another method');
  });
}

test('bad methods and bad patterns are rejected and change nothing', () => {
  const router = routerOf(['GET /a']);
  for (const method of ['', 'GE T', 'GET,PUT', 'GÉT', 'GET\n', 'M'.repeat(33)]) {
    assert.throws(() => router.add(method, '/b', 'b'), /TypeError: route method .* HTTP token/);
  }
  assert.throws(() => router.add('PUT', '/a/:x/:x', 'b'), /TypeError: route pattern "\/a\/:x\/:x"/);
  assert.deepEqual(router.allMethods(), ['GET', 'HEAD', 'OPTIONS']);
  assert.equal(search(router, 'PUT', '/a/1/2').found, Found.No);
});

test('allowed methods are the union over all routes of the path', () => {
  const router = routerOf([
    'GET /a/b',
    'PUT /a/:x',
    'PURGE /a/*',
    'POST /c',
    '* /all',
    'TRACE /all',
  ]);
  assert.deepEqual(allowed(router, '/a/b'), ['GET', 'HEAD', 'OPTIONS', 'PURGE', 'PUT']);
  assert.deepEqual(allowed(router, '/a/z'), ['OPTIONS', 'PURGE', 'PUT']);
  assert.deepEqual(allowed(router, '/a/'), ['OPTIONS', 'PURGE']);
  assert.deepEqual(allowed(router, '/c'), ['OPTIONS', 'POST']);
  const all = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'];
  assert.deepEqual(allowed(router, '/all'), all);
  for (const path of ['/a', '/d', '', 'c']) assert.deepEqual(allowed(router, path), []);
});

test('all methods are the union over all routes', () => {
  assert.deepEqual(new Router<string>().allMethods(), ['OPTIONS']);
  assert.deepEqual(routerOf(['POST /a', 'PURGE /b/*']).allMethods(), ['OPTIONS', 'POST', 'PURGE']);
  assert.deepEqual(routerOf(['GET /:a']).allMethods(), ['GET', 'HEAD', 'OPTIONS']);
  const everything = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
  assert.deepEqual(routerOf(['* /*']).allMethods(), everything);
});

test('any routes and paths have the same result as with the slow matcher', (t) => {
  const seed = Number(process.env['VIBING_SEED'] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  // 'é' and 'è' share their first byte, 'a' and 'ab' a node: both split the tree.
  const literal = fc.constantFrom('a', 'b', 'é', 'è', 'ab', 'abc');
  const shape = fc.constantFrom(
    ...[':p.b', ':p-:q', 'a:p', ':p(int)', ':p(hex)', ':p(slug)-:q(int)', ':p-a:q', ':p(alpha)é'],
  );
  const segment = fc.oneof(
    { weight: 3, arbitrary: literal },
    fc.constantFrom(':x', ':y', ':z'),
    shape,
  );
  const methods = fc.constantFrom('GET', 'HEAD', 'POST', '*', 'PURGE', 'OPTIONS');
  const route = fc
    .tuple(methods, fc.array(segment, { maxLength: 4 }), fc.constantFrom('', '*', null))
    .map(([method, segments, last]) => {
      const unique = segments.map((part, index) => part.replace(/:\w/g, `$&${index}`));
      const all = last === null && unique.length > 0 ? unique : [...unique, last ?? ''];
      return `${method} /${all.join('/')}`;
    });
  const routes = fc.uniqueArray(route, { selector: shapeOf, maxLength: 40, size: 'max' });
  const letters = fc.constantFrom('a', 'b', 'é', '1', '2', '-', '.', '\0');
  const part = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom('a', 'b', 'é', 'è', 'ab', 'abc', '', 'c', ':x0', '*') },
    fc.array(letters, { maxLength: 6 }).map((all) => all.join('')),
  );
  const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => `/${parts.join('/')}`);
  const requests = fc.array(fc.tuple(methods, path), { minLength: 1, maxLength: 30, size: 'max' });
  const seen = [0, 0, 0];
  const property = fc.property(routes, requests, (texts, wanted) => {
    const router = routerOf(texts);
    for (const [method, text] of wanted) {
      const expected = modelSearch(texts, method === '*' ? 'BREW' : method, text);
      assert.deepEqual(search(router, method === '*' ? 'BREW' : method, text), expected);
      assert.deepEqual(allowed(router, text), modelAllowed(texts, text));
      seen[expected.found] += 1;
    }
  });
  fc.assert(property, { seed, numRuns: 400 });
  t.diagnostic(`no ${seen[0]}, wrong method ${seen[1]}, yes ${seen[2]}`);
  for (const count of seen) assert(count > 100, 'the property saw every kind of result');
});

/** The cost of a search, in reads of bytes and of words of four bytes. */
function readsOf(router: Router<string>, path: string, expected: Found): number {
  const encoded = new TextEncoder().encode(`${path} HTTP/1.1`);
  const length = encoded.length - ' HTTP/1.1'.length;
  let reads = 0;
  const counted = new Proxy(encoded, {
    get(target, property) {
      reads += 1;
      return Reflect.get(target, property);
    },
  });
  const match = new Match<string>();
  // The first search makes the tables.
  assert.equal(router.find(Method.GET, '', encoded, 0, length, match), expected);
  const views = (['getInt32', 'getUint8'] as const).map((name) =>
    mock.method(DataView.prototype, name),
  );
  assert.equal(router.find(Method.GET, '', counted, 0, length, match), expected);
  for (const { mock: view } of views) {
    reads += view.callCount();
    view.restore();
  }
  return reads;
}

test('a path that matches every branch costs no more than the routes and its own length', () => {
  // Each route is a run of parameters with some literals: in a matcher that visits nodes twice,
  // every segment of the path doubles the steps.
  const routes: string[] = [];
  for (let mask = 0; mask < 1024; mask++) {
    let route = 'GET ';
    for (let bit = 0; bit < 10; bit++) route += (mask >> bit) & 1 ? `/:p${bit}` : '/a';
    routes.push(`${route}/end`);
  }
  const router = routerOf(routes);
  const routeBytes = routes.join('').length;
  for (const path of [`${'/a'.repeat(10)}/stop`, '/a'.repeat(4_000), '/a'.repeat(11)]) {
    const reads = readsOf(router, path, Found.No);
    assert(reads > 1024, `${reads} reads: the path went nowhere`);
    assert(reads <= 3 * routeBytes + 2 * path.length, `${reads} reads`);
  }
});

test('deep patterns of parameters and wildcards stay linear in the path', () => {
  const routes: string[] = [];
  for (let depth = 1; depth < 31; depth++) {
    const params = Array.from({ length: depth }, (_, index) => `/:p${index}`).join('');
    routes.push(`PUT ${params}/*`, `GET ${params}/a${'/b'.repeat(40)}`);
  }
  const router = routerOf(routes);
  const [short, long] = [500, 4_000].map((count) => {
    return readsOf(router, '/a'.repeat(count), Found.WrongMethod);
  });
  assert.equal(long, short, 'nothing is read behind what the deepest pattern can match');
});

test('a long segment is read once for each parameter that matches it', () => {
  const routes: string[] = [];
  for (let number = 0; number < 200; number++) routes.push(`GET /${number}/:x/end${number}`);
  for (let number = 0; number < 200; number++) routes.push(`GET /:a/:b/n${number}`);
  const path = `/7/${'x'.repeat(8_000)}/${'y'.repeat(8_000)}`;
  assert(readsOf(routerOf(routes), path, Found.No) <= 2 * 8_000 + 100);
});

test('a segment that almost matches costs its length for each byte of the literals', () => {
  // Each '-' may end the first parameter, and only the last one the second.
  const router = routerOf(['GET /:a(slug)-:b(slug)-:c(slug)-:d(int)', 'GET /:a-:b(alpha)aaaab']);
  for (const [text, path] of [
    ['dashes', `/${'-'.repeat(4_000)}x`],
    ['words', `/${'a-'.repeat(2_000)}x`],
    ['literals', `/x-${'a'.repeat(4_000)}b`],
  ]) {
    assert(readsOf(router, `${path}.`, Found.No) <= 40 * 4_000, text);
    assert(readsOf(router, path, text === 'literals' ? Found.Yes : Found.No) <= 40 * 4_000, text);
  }
});

test('a conflict names the places of both routes', () => {
  const router = new Router<string>();
  router.add('GET', '/a/:x', 'first', 'routes.ts:3');
  assert.throws(
    () => router.add('GET', '/a/:y', 'second', 'more.ts:7'),
    /^TypeError: .* "\/a\/:y" \(more.ts:7\): GET \/a\/:x already exists \(routes.ts:3\)$/,
  );
});

test('literals with a common beginning share nodes, in any order of adding', () => {
  const lengths = Array.from({ length: 200 }, (_, index) => index + 1);
  for (const order of [lengths, lengths.toReversed()]) {
    const router = routerOf(order.map((length) => `GET /${'a'.repeat(length)}`));
    for (const length of lengths) {
      const path = `/${'a'.repeat(length)}`;
      assert.equal(search(router, 'GET', path).route, `GET ${path}`);
      assert.equal(search(router, 'GET', `${path}b`).found, Found.No);
    }
    assert.equal(search(router, 'GET', '/').found, Found.No);
    assert.equal(search(router, 'GET', `/${'a'.repeat(201)}`).found, Found.No);
  }
});

test('literals of any length, with common beginnings, are found, and nothing else is', () => {
  const names = ['a', 'b', 'ab', 'abc', 'abcd', 'abcde', 'abcdefgh', 'abcdefghi', '\ufeff', 'é'];
  for (let number = 0; number < 300; number++) names.push(`file-${1000 + number}-of-a-set.css`);
  const router = routerOf(names.map((name) => `GET /${encodeURIComponent(name)}`));
  for (const name of names) {
    assert.equal(search(router, 'GET', `/${name}`).found, Found.Yes, name);
    for (const other of [`${name}x`, `${name}/`, `${name}/${name}`, `x${name}`, `${name}\0`]) {
      assert.equal(search(router, 'GET', `/${other}`).found, Found.No, other);
    }
  }
  for (let number = 300; number < 999; number++) {
    assert.equal(search(router, 'GET', `/file-${1000 + number}-of-a-set.css`).found, Found.No);
  }
});

test('a search in a set of similar names compares few of them', () => {
  const names = Array.from({ length: 4_000 }, (_, index) => `file-${10_000 + index}-a.css`);
  const router = routerOf(names.map((name) => `GET /${name}`));
  const some = names.filter((_, index) => index % 100 === 0);
  const reads = some.map((name) => readsOf(router, `/${name}`, Found.Yes));
  assert(Math.max(...reads) <= 100, `${Math.max(...reads)} reads`);
});

test('nothing is read behind the memory of a path', () => {
  const router = routerOf(['GET /abc', 'GET /abc/:x', 'GET /abc/:x/*', 'GET /:x(int).b']);
  for (const path of ['/', '/a', '/abc', '/abc/', '/abc/d', '/abc/d/', '/abc/d/efg', '/12.b']) {
    const bytes = new TextEncoder().encode(path);
    const exact = new Uint8Array(bytes);
    const match = new Match<string>();
    const found = router.find(Method.GET, '', exact, 0, exact.length, match);
    const expected = search(router, 'GET', path);
    assert.equal(found, expected.found, path);
    assert.equal(match.value, expected.route);
  }
});
