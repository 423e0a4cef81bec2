// Registrations and options that would be dropped, or would never run: they throw at once, and the
// message says what to write instead.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fetchHandler } from '../../src/fetch/index.ts';
import { createServer, HttpError, prepare } from '../../src/index.ts';
import { accessLog } from '../../src/middleware/access-log.ts';
import { cors } from '../../src/middleware/cors.ts';
import * as publicMiddleware from '../../src/middleware/index.ts';
import type { Server } from '../../src/server/server.ts';
import { serveStatic } from '../../src/static/index.ts';
import { get, request } from '../../testing/raw-client.ts';
import { onEachDriver, oneDriver, withServer } from '../../testing/with-server.ts';

const run = () => {};
const three = (_request: unknown, _response: unknown, _next: unknown) => {};
const four = (_error: unknown, _request: unknown, _response: unknown, _next: unknown) => {};
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'all'] as const;

/** The methods of a server as a program without types calls them. */
type Loose = Record<string, (...given: unknown[]) => unknown>;

function loose(): Loose {
  return createServer() as unknown as Loose;
}

function rejects(attempt: () => unknown, message: RegExp, what: string): void {
  assert.throws(attempt, (error) => {
    assert.ok(error instanceof TypeError, `${what}: ${error}`);
    assert.match(error.message, message, what);
    return true;
  });
}

describe('routes', () => {
  it('take a pattern, middleware and a handler', () => {
    for (const method of METHODS) {
      const add = (...given: unknown[]) => loose()[method](...given);
      rejects(() => add(), /the pattern is a string/, method);
      rejects(
        () => add(run),
        /the pattern is a string that begins with '\/', given a function/,
        method,
      );
      rejects(() => add(/x/, run), /the pattern is a string/, method);
      rejects(() => add(['/a', '/b'], run), /given an array/, method);
      rejects(() => add(null, run), /given null/, method);
      rejects(() => add('/x'), /^\w+\("\/x"\): its handler is .* given undefined$/, method);
      rejects(() => add('/x', 'y'), /given "y"/, method);
      rejects(() => add('/x', [run]), /given an array/, method);
      rejects(() => add('/x', { handle: run }), /given an object/, method);
      rejects(() => add('/x', run, undefined), /its handler is .* given undefined$/, method);
      rejects(() => add('/x', [run, run], run), /middleware 1 of 1: .* given an array$/, method);
      rejects(() => add('/x', run, 'y', run), /middleware 2 of 2: .* given "y"$/, method);
      rejects(() => add('/x', four, run), /middleware 1 of 1: .* errors go to onError/, method);
      rejects(() => add('/x', class {}, run), /middleware 1 of 1: given a class/, method);
      rejects(() => add('/x', run, three), /3 parameters: add a handler behind it/, method);
      rejects(() => add('/x', serveStatic('.')), /add a handler behind it/, method);
      rejects(() => add('x', run), /must begin with '\/'/, method);
    }
  });

  it('of any method take its name first', () => {
    const on = (...given: unknown[]) => loose()['on'](...given);
    for (const given of [
      [],
      [run],
      [null, '/x', run],
      [['GET'], '/x', run],
      [undefined, '/', run],
    ]) {
      rejects(() => on(...given), /the name of a method/, String(given));
    }
    rejects(() => on('/x', run), /on\(\): the pattern is a string/, 'no method');
    rejects(() => on('', '/x', run), /must be an HTTP token/, 'empty');
    rejects(() => on('GET POST', '/x', run), /must be an HTTP token/, 'two');
    rejects(() => on('get', '/x', run), /case-sensitive; did you mean "GET"/, 'lower case');
    rejects(() => on('Delete', '/x', run), /did you mean "DELETE"/, 'mixed case');
    rejects(() => on('CONNECT', '/x', run), /get 501/, 'CONNECT');
    rejects(() => on('PURGE', '/x'), /^on\("PURGE", "\/x"\): its handler is /, 'no handler');
    rejects(() => on('PURGE', '/x', run, three), /add a handler behind it/, 'no handler');
    on('purge', '/x', run);
  });

  it('take any function', () => {
    const server = createServer();
    server.get('/a', async () => {});
    server.get('/c', run.bind(null));
  });
});

describe('middleware', () => {
  const use = (...given: unknown[]) => loose()['use'](...given);

  it('is one function, behind a prefix or not', () => {
    rejects(() => use(), /use\('\/prefix', .* given undefined/, 'nothing');
    rejects(() => use([run, run]), /given an array/, 'a list');
    rejects(() => use(/a/, run), /given an object/, 'a pattern');
    rejects(() => use(null), /given null/, 'null');
    rejects(() => use(run, run), /takes one middleware, given 2: call it once for each/, 'two');
    rejects(() => use(run, '/x'), /takes one middleware/, 'a prefix behind');
    rejects(() => use(run, undefined), /takes one middleware/, 'a second that is missing');
    rejects(() => use('/x'), /^use\("\/x"\): its middleware is .* given undefined$/, 'none');
    rejects(() => use('/x', 'y'), /given "y"/, 'text');
    rejects(() => use('/x', [run]), /given an array/, 'a list behind a prefix');
    rejects(() => use('/x', run, run), /use\("\/x"\) takes one middleware, given 2/, 'two');
    rejects(() => use(['/x', '/y'], run), /given an array/, 'two prefixes');
  });

  it('has a prefix that paths can begin with', () => {
    for (const [prefix, message] of [
      ['', /must begin with '\/'/],
      ['x', /must begin with '\/'/],
      ['*', /must begin with '\/'/],
      ['http://host/x', /must begin with '\/'/],
      ['/a/*', /must not contain '\*': use\('\/a', \.\.\.\) covers every path below '\/a'/],
      ['/*', /use\('\/', \.\.\.\) covers every path below '\/'/],
      ['/a/b/*/c', /use\('\/a\/b', \.\.\.\)/],
      ['/a*', /must not contain '\*'/],
      ['/u/:id', /must not contain parameters: use\('\/u', \.\.\.\) covers every path below '\/u'/],
      ['/u:id', /must not contain parameters/],
      ['/a?b', /must not contain '\?'/],
      ['/a#b', /must not contain '#'/],
      ['/a\0', /must not contain NUL/],
      ['/a%00', /encoded NUL/],
      ['/a%2Fb', /encoded slash/],
      ['/a%2fb', /encoded slash/],
      ['/100%', /'%' must begin a percent-encoding/],
      ['/%zz', /'%' must begin a percent-encoding/],
      ['/%ff', /valid UTF-8/],
      ['/\ud800', /surrogate/],
      ['/.', /'\.' and '\.\.' never match/],
      ['/a/../b', /'\.' and '\.\.' never match/],
      ['/%2e%2E', /'\.' and '\.\.' never match/],
      ['//', /must not contain '\/\/'/],
      ['//a', /must not contain '\/\/'/],
      ['/a//', /must not contain '\/\/'/],
      ['/a//b', /must not contain '\/\/'/],
    ] as const) {
      rejects(() => use(prefix, run), message, JSON.stringify(prefix));
    }
  });
});

describe('a function that makes what is registered', () => {
  // timing() is called in a handler.
  const { timing: _, ...makers } = publicMiddleware;

  it('must be called first', () => {
    for (const [name, make] of Object.entries({ ...makers, serveStatic, fetchHandler })) {
      const message = new RegExp(`: given ${name} itself: call it, as in ${name}\\(\\)$`);
      for (const [method, ...given] of [
        ['use', make],
        ['use', '/x', make],
        ['get', '/x', make],
        ['get', '/x', make, run],
        ['on', 'PURGE', '/x', make],
        ['notFound', make],
      ] as const) {
        rejects(() => loose()[method](...given), message, `${method} ${name}`);
      }
    }
  });

  it('is no other function, whatever its name', () => {
    const own = { cors: (_request: unknown, _response: unknown) => {} };
    createServer().use(own.cors).get('/x', own.cors, own.cors).use(cors());
  });
});

describe('other registrations', () => {
  it('an error handler is one function, once', () => {
    const onError = (...given: unknown[]) => loose()['onError'](...given);
    for (const given of [[], [null], ['x'], [run, run]]) {
      rejects(() => onError(...given), /^onError\(\): it takes \(error, /, String(given));
    }
    const server = createServer().onError(run);
    rejects(() => server.onError(run), /was set before/, 'twice');
  });

  it('listen() takes its address from the options', async () => {
    const listening = loose()['listen'](8080) as Promise<unknown>;
    await assert.rejects(listening, /as in createServer\(\{ port: 8080 \}\)/);
  });

  it('a server takes options, and nothing else', () => {
    const make = createServer as unknown as (...given: unknown[]) => unknown;
    rejects(() => make({}, run), /takes one object of options/, 'a handler behind');
    for (const given of [null, 'x', 8080, run, []]) {
      assert.throws(() => make(given), /allowed: a plain object of options/);
    }
  });
});

describe('options', () => {
  const MADE: readonly (readonly [what: string, make: (options: unknown) => unknown])[] = [
    ['serveStatic', (options) => serveStatic('.', options as object)],
    ['accessLog', (options) => accessLog(options as object)],
    ['cors', (options) => cors(options as object)],
  ];

  for (const [name, make] of MADE) {
    it(`of ${name} are an object of what it knows`, () => {
      for (const options of [null, 'x', 7, true, [], run]) {
        rejects(() => make(options), /options are a plain object, given /, String(options));
      }
      rejects(() => make({ surely: 1 }), /there is no option "surely"; it knows /, name);
      rejects(() => make({ constructor: 1 }), /there is no option "constructor"/, name);
      rejects(() => make(JSON.parse('{"__proto__":1}')), /there is no option "__proto__"/, name);
      make({});
      make(undefined);
    });
  }

  const BAD: readonly (readonly [what: string, options: Record<string, readonly unknown[]>])[] = [
    [
      'serveStatic',
      {
        listing: ['yes', 1, 'false', null],
        index: [5, null, '', '.', '..', 'a/b', '../x', '/x', 'a\0', [], [5], ['.x'], false, '.x'],
        dotfiles: [1, 'no', null],
        cacheBytesMax: ['1', -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, null],
        cacheEntryBytesMax: ['1', -1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY, 2 ** 53],
      },
    ],
    ['accessLog', { format: ['short', 5, ['json'], null, ''], write: ['x', null, {}] }],
    [
      'cors',
      {
        origin: [5, null, [5], {}, true],
        methods: ['GET', ['GET POST'], [5], [''], null],
        allowedHeaders: ['x', ['x: y']],
        exposedHeaders: ['x', ['']],
        credentials: ['yes', 1, null],
        maxAgeSeconds: ['1', -1, 1.5, Number.NaN],
      },
    ],
  ];
  for (const [name, options] of BAD) {
    for (const [option, values] of Object.entries(options)) {
      it(`${option} of ${name} has to fit`, () => {
        const make = new Map(MADE).get(name);
        for (const value of values) {
          const message = new RegExp(`^${name}: ${option}\\b.+`);
          rejects(() => make?.({ [option]: value }), message, `${option}: ${String(value)}`);
        }
        make?.({ [option]: undefined });
      });
    }
  }

  it('of serveStatic that fit are taken', () => {
    serveStatic('.', { listing: true, index: 'main.htm', dotfiles: true, cacheBytesMax: 0 });
    serveStatic('.', { index: '.main', dotfiles: true, cacheEntryBytesMax: 0 });
    serveStatic('.', { index: '.well-known' });
    rejects(() => serveStatic('a\0b'), /the root must be the path of a directory/, 'NUL');
  });

  it('reject functions whose body never runs', () => {
    const server = createServer();
    rejects(() => server.use(function* guard() {} as never), /given a generator/, 'use');
    rejects(() => server.get('/', async function* () {} as never), /given a generator/, 'get');
    rejects(() => server.use(class {} as never), /given a class/, 'class');
    rejects(() => server.use(four as never), /errors go to onError/, 'four parameters');
    rejects(() => cors({ methods: ['get'] }), /write GET/, 'cors');
  });

  it('are a plain object: what is inherited, or an entry of a Map, would be dropped', () => {
    for (const options of [new Map(), Object.create({ port: 80 }), new (class {})()]) {
      rejects(() => cors(options), /^cors: options are a plain object/, 'cors');
      assert.throws(() => createServer(options), /a plain object of options/);
    }
    cors(Object.create(null));
  });

  it('of createServer have their types', () => {
    for (const options of [{ port: '80' }, { staticDir: 5 }, { listing: 1 }, { prot: 80 }]) {
      assert.throws(() => createServer(options as never), /createServer: /);
    }
  });
});

describe('what becomes a response', () => {
  it('prepare() takes fields and content that it can send as they are', () => {
    const make = prepare as (...given: unknown[]) => unknown;
    for (const body of [5, null, true, {}, [1], new ArrayBuffer(1), new Date(), 10n]) {
      rejects(() => make(200, {}, body), /its body is a string or a Uint8Array/, String(body));
    }
    for (const headers of ['text', 5, null, true, run]) {
      rejects(() => make(200, headers), /its headers are an object or pairs/, String(headers));
    }
    for (const value of [undefined, null, {}, [], true, Number.NaN, Number.POSITIVE_INFINITY, 1n]) {
      rejects(() => make(200, { A: value }), /header "A" is a string or a finite number/, '');
      rejects(() => make(200, [['A', value]]), /header "A" is a string or a finite number/, '');
    }
    for (const pair of ['ab', ['A'], ['A', 'b', 'c'], null, 5]) {
      rejects(() => make(200, [pair]), /a header is a pair of name and value/, String(pair));
    }
    for (const status of ['200', null, undefined, 99]) {
      assert.throws(
        () => make(status),
        /prepare: its status is a whole number from 200 to 599, given /,
      );
    }
    make(200, new Headers({ a: 'b' }), Buffer.from('x'));
  });

  it('HttpError takes a status, text and a cause', () => {
    const make = (...given: unknown[]) =>
      new (HttpError as new (...all: unknown[]) => Error)(...given);
    for (const status of ['404', null, undefined, 200, 404.5]) {
      assert.throws(
        () => make(status),
        /HttpError: its status is a whole number from 400 to 599, given /,
      );
    }
    for (const message of [5, null, {}, ['a']]) {
      rejects(() => make(404, message), /its message is a string/, String(message));
    }
    rejects(() => make(404, 'x', { fields: {} }), /there is no option "fields"/, 'fields');
    rejects(() => make(404, 'x', { headers: [] }), /headers/, 'headers');
    rejects(() => make(404, 'x', null), /options are a plain object/, 'null');
    assert.equal(make(404, undefined, { cause: 1 }).message, 'Not Found');
  });
});

onEachDriver(
  'registration',
  (add) => {
    add('prefixes are decoded once, as routes are', async (driver) => {
      const routes = (server: Server) => {
        for (const prefix of ['/a%20b', '/c d/', '/%65', '/100%25', '/x/y', '/%2a', '/caf%C3%A9']) {
          server.use(prefix, (_request, response) => response.text(prefix));
        }
      };
      await withServer(driver, {}, routes, async ({ open }) => {
        const client = await open();
        for (const [target, text] of [
          ['/a%20b', '/a%20b'],
          ['/%61%20b/x', '/a%20b'],
          ['/c%20d', '/c d/'],
          ['/e/', '/%65'],
          ['/100%25/x', '/100%25'],
          ['/x/y/z', '/x/y'],
          ['/x/yz', 'Not Found\n'],
          ['/x%2fy', 'Not Found\n'],
          ['/*', '/%2a'],
          ['/caf%c3%a9', '/caf%C3%A9'],
        ]) {
          assert.equal((await client.ask(get(target))).text, text, target);
        }
      });
    });

    add('works while the server listens, for requests after it', async (driver) => {
      await withServer(
        driver,
        {},
        () => {},
        async ({ open, server }) => {
          const client = await open();
          assert.equal((await client.ask(get('/late'))).status, 404);
          server.get('/late', (_request, response) => response.text('late'));
          assert.equal((await client.ask(get('/late'))).text, 'late');
          server.use('/late', (_request, response, next) => {
            response.header('X-Late', 'yes');
            return next();
          });
          server.get('/late/after', (_request, response) => response.text('after'));
          assert.equal((await client.ask(get('/late'))).field('x-late'), undefined);
          assert.equal((await client.ask(get('/late/after'))).field('x-late'), 'yes');
          assert.equal((await client.ask(get('/late/none'))).field('x-late'), 'yes');
          server.get('/error', () => {
            throw new Error('planned');
          });
          server.onError((_error, _request, response) => response.status(418).text('caught'));
          assert.equal((await client.ask(get('/error'))).status, 418);
          server.on('PURGE', '/late', (_request, response) => response.text('purged'));
          assert.equal((await client.ask(request('PURGE', '/late'))).text, 'purged');
        },
      );
    });
  },
  oneDriver(),
);
