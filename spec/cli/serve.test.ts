// serve() with a scripted server and process: what it prints, and what signals do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Listening, type ServeEnvironment, type Signal, serve } from '../../src/cli/serve.ts';
import { ClosedError } from '../../src/cluster/closed-error.ts';
import { ServiceError } from '../../src/cluster/service-error.ts';
import { ConfigError, configFrom, type ServerOptions } from '../../src/server/config/config.ts';

/** A process that records the calls to it. */
class FakeEnvironment implements ServeEnvironment {
  readonly events: string[] = [];
  readonly isWorker: boolean;
  files: readonly string[] = ['dir/index.html', 'index.html'];
  lostTerminal = false;
  options: ServerOptions = {};
  signal: (signal: Signal) => void = () => assert.fail('no signal listener');
  /** The result of reload(). */
  reloading: Promise<void> = Promise.resolve();
  /** Makes the server close by itself. */
  end: (error: Error | null) => void = () => {};
  readonly #listen: () => Promise<Listening>;
  readonly #close: () => Promise<void>;

  constructor(
    listen: () => Promise<Listening>,
    close: () => Promise<void> = async () => {},
    isWorker = false,
  ) {
    this.#listen = listen;
    this.#close = close;
    this.isWorker = isWorker;
  }

  async loadServer(): ReturnType<ServeEnvironment['loadServer']> {
    const ended = new Promise<Error | null>((resolve) => {
      this.end = resolve;
    });
    return (options) => {
      this.options = options;
      return {
        ended,
        listen: this.#listen,
        close: async () => {
          this.events.push('close');
          await this.#close();
          this.end(null);
        },
        reload: () => {
          this.events.push('reload');
          return this.reloading;
        },
      };
    };
  }

  onSignal(listener: (signal: Signal) => void): void {
    this.signal = listener;
  }

  isByHand = false;

  hasLostTerminal(): boolean {
    return this.lostTerminal;
  }

  exit(code: number): void {
    this.events.push(`exit ${code}`);
  }

  hasFile(path: string): boolean {
    return this.files.includes(path);
  }

  out(line: string): void {
    this.events.push(line);
  }

  problem(line: string): void {
    this.events.push(`problem: ${line}`);
  }
}

/** Lets all pending promises settle. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function fault(code: string): Error {
  return Object.assign(new Error('listen failed'), { code });
}

const LINES: readonly (readonly [ServerOptions, Listening, line: string])[] = [
  [
    { staticDir: './dir' },
    { port: 8080, driver: 'epoll', workers: 1 },
    'vibing listening on http://127.0.0.1:8080 (driver epoll, 1 worker), serving ./dir',
  ],
  [
    { host: '::1', port: 0, workers: 4, driver: 'net' },
    { port: 4321, workers: 4 },
    'vibing listening on http://[::1]:4321 (driver net, 4 workers)',
  ],
  [
    { staticDir: '.', mounts: { '/docs': './docs', '/old': '.' } },
    { port: 8080, driver: 'epoll', workers: 1 },
    'vibing listening on http://127.0.0.1:8080 (driver epoll, 1 worker), serving ., /docs, /old',
  ],
  [
    { mounts: { '/docs': './docs' } },
    { port: 8080, driver: 'epoll', workers: 1 },
    'vibing listening on http://127.0.0.1:8080 (driver epoll, 1 worker), serving /docs',
  ],
  [
    { port: 1 },
    { port: 80, driver: 'epoll', workers: 2, activated: 'http://127.0.0.1:80' },
    'vibing listening on http://127.0.0.1:80 (systemd) (driver epoll, 2 workers)',
  ],
  [
    { socket: './run/x.sock', staticDir: '.' },
    { port: 0, driver: 'epoll', workers: 2 },
    'vibing listening on unix:./run/x.sock (driver epoll, 2 workers), serving .',
  ],
];

test('a person who starts it reads where to look and how to stop', async () => {
  const hints: readonly (readonly [ServerOptions, Partial<Listening>, hint: string])[] = [
    [{}, {}, 'open http://127.0.0.1:81/ in a browser; Ctrl-C stops the server'],
    [{ host: '0.0.0.0' }, {}, 'open http://127.0.0.1:81/ in a browser; Ctrl-C stops the server'],
    [{ host: '::' }, {}, 'open http://[::1]:81/ in a browser; Ctrl-C stops the server'],
    [{ host: 'a.test' }, {}, 'open http://a.test:81/ in a browser; Ctrl-C stops the server'],
    [{ socket: './x.sock' }, {}, 'Ctrl-C stops the server'],
    [{}, { activated: 'unix:/x' }, 'Ctrl-C stops the server'],
  ];
  for (const [options, more, hint] of hints) {
    const listening = { port: 81, driver: 'epoll', workers: 1, ...more };
    const environment = new FakeEnvironment(async () => listening);
    environment.isByHand = true;
    const code = serve(configFrom(options), environment);
    await settled();
    assert.equal(environment.events.length, 2);
    assert.equal(environment.events[1], hint);
    environment.signal('SIGINT');
    assert.equal(await code, 0);
  }
});

for (const [options, listening, line] of LINES) {
  test(line, async () => {
    const config = configFrom(options);
    const environment = new FakeEnvironment(async () => listening);
    const code = serve(config, environment);
    await settled();
    assert.deepEqual(environment.events, [line]);
    assert.deepEqual(configFrom(environment.options), config);
    environment.signal('SIGTERM');
    assert.equal(await code, 0);
    assert.deepEqual(environment.events, [line, 'close']);
  });
}

test('a directory without an index file is noted at the start, unless it is listed', async () => {
  const line = /^problem: dir has no index.html, so \/ is 404; with --listing it is a list/;
  for (const [options, files, isNoted] of [
    [{ staticDir: 'dir' }, [], true],
    [{ staticDir: 'dir', listing: true }, [], false],
    [{ staticDir: 'dir' }, ['dir/index.html'], false],
    [{}, [], false],
  ] as const) {
    const environment = new FakeEnvironment(async () => ({ port: 1, workers: 1 }));
    environment.files = files;
    const code = serve(configFrom(options), environment);
    await settled();
    assert.equal(environment.events.length, isNoted ? 2 : 1);
    if (isNoted) assert.match(environment.events[1], line);
    environment.signal('SIGTERM');
    assert.equal(await code, 0);
  }
});

test('a worker prints nothing and handles no signals', async () => {
  const environment = new FakeEnvironment(async () => ({ port: 1, workers: 1 }), undefined, true);
  const code = serve(configFrom({}), environment);
  await settled();
  assert.throws(() => environment.signal('SIGINT'), /no signal listener/);
  environment.end(null);
  assert.equal(await code, 0);
  assert.deepEqual(environment.events, []);
});

test('a server that closes by itself after an error has exit code 1', async () => {
  const environment = new FakeEnvironment(async () => ({ port: 1, workers: 2 }));
  const code = serve(configFrom({ workers: 2 }), environment);
  await settled();
  environment.end(new Error('a fatal error'));
  assert.equal(await code, 1);
});

test('SIGHUP reloads workers; a failure is one line and the server keeps serving', async () => {
  for (const options of [{ workers: 2 }, { workers: 1, supervise: true }]) {
    const { workers } = options;
    const environment = new FakeEnvironment(async () => ({ port: 1, workers }));
    const code = serve(configFrom(options), environment);
    environment.signal('SIGHUP');
    assert.deepEqual(environment.events, []);
    await settled();
    const [, ...before] = environment.events;
    assert.deepEqual(before, ['reload'], 'an early SIGHUP is handled later');
    environment.reloading = Promise.reject(new Error('reload failed'));
    environment.signal('SIGHUP');
    await settled();
    assert.deepEqual(environment.events.slice(2), ['reload', 'problem: reload failed']);
    environment.signal('SIGTERM');
    environment.signal('SIGHUP');
    assert.equal(await code, 0);
    assert.deepEqual(environment.events.slice(4), ['close']);
  }
});

test('SIGHUP without a supervising process has no effect, with one line', async () => {
  const environment = new FakeEnvironment(async () => ({ port: 1, workers: 1 }));
  const code = serve(configFrom({}), environment);
  await settled();
  environment.signal('SIGHUP');
  assert.match(environment.events[1], /^problem: SIGHUP has no effect: .*--supervise$/);
  environment.signal('SIGTERM');
  assert.equal(await code, 0);
});

test('the first signal waits for requests in flight, a second one does not', async () => {
  for (const [signal, exit] of [
    ['SIGINT', 'exit 130'],
    ['SIGTERM', 'exit 143'],
  ] as const) {
    let closed: () => void = () => {};
    const closing = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const environment = new FakeEnvironment(
      async () => ({ port: 1, workers: 1 }),
      () => closing,
    );
    const code = serve(configFrom({}), environment);
    await settled();
    environment.signal('SIGTERM');
    await settled();
    assert.deepEqual(environment.events.slice(1), ['close']);
    environment.signal(signal);
    assert.deepEqual(environment.events.slice(1), ['close', exit]);
    closed();
    assert.equal(await code, 0);
  }
});

test('SIGHUP of a terminal that closes stops a server, however often it comes', async () => {
  for (const workers of [1, 2]) {
    const environment = new FakeEnvironment(async () => ({ port: 8080, workers }));
    environment.lostTerminal = true;
    const code = serve(configFrom({ workers }), environment);
    await settled();
    environment.events.length = 0;
    environment.signal('SIGHUP');
    environment.signal('SIGHUP');
    assert.equal(await code, 0);
    assert.deepEqual(environment.events, ['close']);
  }
});

test('SIGUSR1 is taken, with one line', async () => {
  const environment = new FakeEnvironment(async () => ({ port: 8080, workers: 1 }));
  const code = serve(configFrom({}), environment);
  await settled();
  environment.events.length = 0;
  environment.signal('SIGUSR1');
  environment.signal('SIGTERM');
  assert.equal(await code, 0);
  const line = 'SIGUSR1 has no effect: there are no log files to reopen';
  assert.deepEqual(environment.events, [`problem: ${line}`, 'close']);
});

test('a signal before it listens closes it at once', async () => {
  let up: (listening: Listening) => void = () => {};
  const listening = new Promise<Listening>((resolve) => {
    up = resolve;
  });
  const environment = new FakeEnvironment(() => listening);
  const code = serve(configFrom({}), environment);
  environment.signal('SIGINT');
  await settled();
  assert.deepEqual(environment.events, ['close']);
  up({ port: 8080, workers: 1 });
  assert.equal(await code, 0);
});

test('a signal that ends listen() is no error', async () => {
  let fail: (error: Error) => void = () => {};
  const listening = new Promise<Listening>((_resolve, reject) => {
    fail = reject;
  });
  const environment = new FakeEnvironment(() => listening);
  const code = serve(configFrom({}), environment);
  environment.signal('SIGTERM');
  await settled();
  fail(new ClosedError());
  assert.equal(await code, 0);
  assert.deepEqual(environment.events, ['close', 'close']);
});

const TOO_MANY = 'too many open files; raise the limit of descriptors with "ulimit -n"';

test('a driver that cannot run is one line: which, why, and what to do', async () => {
  const message = "the driver uring cannot run here: koffi is not installed; 'auto' chooses one";
  const error = Object.assign(new Error(message), { code: 'ENOTSUP' });
  const environment = new FakeEnvironment(() => Promise.reject(error));
  assert.equal(await serve(configFrom({}), environment), 1);
  assert.deepEqual(environment.events, [`problem: ${message}`]);
});

test('a process without descriptors to load the server says so in one line', async () => {
  const environment = new FakeEnvironment(() => Promise.reject(new Error('not reached')));
  environment.loadServer = () => Promise.reject(fault('EMFILE'));
  assert.equal(await serve(configFrom({}), environment), 1);
  assert.deepEqual(environment.events, [
    `problem: cannot listen on 127.0.0.1:8080: ${TOO_MANY} (EMFILE)`,
  ]);
});

test('an error of listen() is one line and exit code 1', async () => {
  const cases: readonly (readonly [string, ServerOptions, string])[] = [
    ['EADDRINUSE', {}, '127.0.0.1:8080: address already in use (EADDRINUSE)'],
    ['EACCES', { port: 80 }, '127.0.0.1:80: permission denied (EACCES)'],
    ['EADDRNOTAVAIL', { host: '::2' }, '[::2]:8080: address not available (EADDRNOTAVAIL)'],
    ['ENOTFOUND', { host: 'nowhere' }, 'nowhere:8080: host name not found (ENOTFOUND)'],
    ['ENOENT', { socket: 'a/b' }, 'a/b: no such file or directory (ENOENT)'],
    ['EMFILE', {}, `127.0.0.1:8080: ${TOO_MANY} (EMFILE)`],
    ['ESTRANGE', {}, '127.0.0.1:8080: listen failed (ESTRANGE)'],
  ];
  for (const [name, options, line] of cases) {
    const environment = new FakeEnvironment(() => Promise.reject(fault(name)));
    assert.equal(await serve(configFrom(options), environment), 1);
    assert.deepEqual(environment.events, [`problem: cannot listen on ${line}`]);
  }
});

test('a worker does not print that error', async () => {
  const environment = new FakeEnvironment(
    () => Promise.reject(fault('EADDRINUSE')),
    undefined,
    true,
  );
  assert.equal(await serve(configFrom({}), environment), 1);
  assert.deepEqual(environment.events, []);
});

test('a ServiceError is one line and exit code 1', async () => {
  const error = new ServiceError('pid_file: x cannot be written (EROFS)', 'EROFS');
  const environment = new FakeEnvironment(() => Promise.reject(error));
  assert.equal(await serve(configFrom({}), environment), 1);
  assert.deepEqual(environment.events, ['problem: pid_file: x cannot be written (EROFS)']);
});

test('a ConfigError of the server is printed line by line', async () => {
  const environment = new FakeEnvironment(() => Promise.reject(new ConfigError(['one', 'two'])));
  assert.equal(await serve(configFrom({}), environment), 2);
  assert.deepEqual(environment.events, ['problem: one', 'problem: two']);
});

test('a bug is thrown', async () => {
  const environment = new FakeEnvironment(() => Promise.reject(new TypeError('a mistake')));
  await assert.rejects(serve(configFrom({}), environment), /a mistake/);
  assert.deepEqual(environment.events, []);
});

test('of several index files one is enough, and a page for all paths is one, too', async () => {
  const notes = async (options: ServerOptions, files: readonly string[]): Promise<string[]> => {
    const environment = new FakeEnvironment(async () => ({ port: 1, workers: 1 }));
    environment.files = files;
    const running = serve(configFrom({ staticDir: 'dir', ...options }), environment);
    await settled();
    environment.end(null);
    await running;
    return environment.events.filter((line) => line.startsWith('problem: '));
  };
  const two = { index: ['index.html', 'index.htm'] };
  const none = 'dir has no index.html or index.htm, so / is 404';
  assert.deepEqual(await notes(two, ['dir/index.htm']), []);
  assert.equal((await notes(two, [])).length, 1);
  assert.ok((await notes(two, []))[0].includes(none));
  for (const spa of [true, 'app.html']) assert.deepEqual(await notes({ ...two, spa }, []), []);
});

test('metrics of their own listener have its address', async () => {
  const metrics = './m.sock';
  for (const [options, wanted] of [
    [{ metricsSocket: metrics, metrics: '/own' }, ', metrics at unix:./m.sock/own'],
    [{ metricsPort: 1, socket: './x.sock' }, ', metrics at http://./m.sock/metrics'],
    [{ metrics: true, metricsSocket: undefined }, ', metrics at http://./m.sock/metrics'],
  ] as const) {
    const environment = new FakeEnvironment(async () => ({ port: 1, workers: 1, metrics }));
    const running = serve(configFrom(options as ServerOptions), environment);
    await settled();
    environment.end(null);
    await running;
    assert.ok(environment.events[0].endsWith(wanted), environment.events[0]);
  }
});
