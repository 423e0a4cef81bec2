// The options of a load: the plan that follows from them, and a line for each problem.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LoadOptions, type Prepared, prepareLoad, RATE_MAX } from '../../src/load/options.ts';

const url = 'http://127.0.0.1/';
const DAY_MS = 24 * 60 * 60 * 1000;

function planOf(options: Partial<LoadOptions>): Prepared {
  const prepared = prepareLoad({ url, ...options });
  assert.ok('requests' in prepared, String(prepared));
  return prepared;
}

/** Also of values that TypeScript does not allow. */
function problemsOf(options: Readonly<Record<string, unknown>>): readonly string[] {
  const prepared = prepareLoad({ url, ...options } as LoadOptions);
  return 'requests' in prepared ? [] : prepared;
}

const textOf = ({ requests }: Prepared, index = 0): string =>
  Buffer.from(requests[index].bytes).toString('latin1');

describe('the plan of a load', () => {
  it('has these defaults', () => {
    const { requests, ...rest } = planOf({});
    assert.deepEqual(rest, {
      host: '127.0.0.1',
      port: 80,
      socket: null,
      urls: [url],
      connections: 10,
      depth: 1,
      durationMs: 10_000,
      count: Number.POSITIVE_INFINITY,
      warmUpMs: 0,
      rate: [],
      timeoutMs: 10_000,
      keepAlive: true,
      driver: 'auto',
      core: -1,
    });
    const [{ bytes, ...request }, ...others] = requests;
    assert.deepEqual(others, []);
    assert.deepEqual(request, { name: 'GET /', isHead: false, expected: null, weight: 1 });
    assert.equal(Buffer.from(bytes).toString(), 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  });

  it('has what the options give', () => {
    const given = {
      connections: 3,
      pipelining: 4,
      durationMs: 5.5,
      count: 6,
      warmUpMs: 7,
      timeoutMs: 8,
      driver: 'net',
      core: 0,
      socket: '/run/s',
    } as const;
    const { pipelining, ...same } = given;
    const plan = planOf(given);
    for (const [name, value] of Object.entries(same)) {
      assert.equal(plan[name as keyof Prepared], value, name);
    }
    assert.equal(plan.depth, pipelining);
    assert.equal(planOf({ keepAlive: false }).keepAlive, false);
  });

  it('has the host and port of its URLs', () => {
    const at = (text: string): unknown[] => {
      const { host, port } = planOf({ url: text });
      return [host, port];
    };
    assert.deepEqual(at('http://localhost:8080/x'), ['localhost', 8080]);
    assert.deepEqual(at('http://[::1]:81/'), ['::1', 81]);
    assert.deepEqual(at('http://[::1]/'), ['::1', 80]);
  });

  it('has a request for each URL', () => {
    const urls = ['http://a:8080/one?two=3', 'http://a:8080/'];
    const plan = planOf({
      url: urls,
      weights: [2, 3],
      method: 'POST',
      headers: [['X-A', 'b c']],
      body: 'é',
      expectBody: new Uint8Array([1, 2]),
    });
    assert.deepEqual(plan.urls, urls);
    assert.deepEqual(
      plan.requests.map(({ name, isHead, expected, weight }) => [name, isHead, expected, weight]),
      [
        ['POST /one?two=3', false, new Uint8Array([1, 2]), 2],
        ['POST /', false, new Uint8Array([1, 2]), 3],
      ],
    );
    const end = 'HTTP/1.1\r\nHost: a:8080\r\nX-A: b c\r\nContent-Length: 2\r\n\r\n\u00c3\u00a9';
    assert.deepEqual([textOf(plan), textOf(plan, 1)], [`POST /one?two=3 ${end}`, `POST / ${end}`]);
  });

  it('has requests of HEAD, and of connections that end', () => {
    const plan = planOf({ method: 'HEAD', keepAlive: false, expectBody: '' });
    assert.equal(plan.requests[0].isHead, true);
    assert.deepEqual(plan.requests[0].expected, new Uint8Array(0));
    assert.match(
      textOf(plan),
      /^HEAD \/ HTTP\/1\.1\r\nHost: 127\.0\.0\.1\r\nConnection: close\r\n\r\n$/,
    );
  });

  it('has one Host, that of the headers if they have one', () => {
    assert.equal(
      textOf(planOf({ headers: [['hoST', 'other']], body: '' })),
      'GET / HTTP/1.1\r\nhoST: other\r\nContent-Length: 0\r\n\r\n',
    );
  });

  const always = { from: 5, to: 5, durationMs: Number.POSITIVE_INFINITY };
  const rising = { from: 0, to: 10, durationMs: 2_000 };
  const ends: readonly (readonly [what: string, given: Partial<LoadOptions>, ms: number])[] = [
    ['a count alone', { count: 5 }, Number.POSITIVE_INFINITY],
    ['a count and a time', { count: 5, durationMs: 20 }, 20],
    ['a count and an endless time', { count: 5, durationMs: Number.POSITIVE_INFINITY }, Infinity],
    ['a constant rate', { rate: 5 }, 10_000],
    ['a constant rate and a count', { rate: 5, count: 9 }, Number.POSITIVE_INFINITY],
    ['steps', { rate: [rising, { ...rising, durationMs: 500 }] }, 2_500],
    ['steps behind a warm-up', { rate: [rising], warmUpMs: 500 }, 1_500],
    ['steps and a time', { rate: [rising], durationMs: 700 }, 700],
    ['steps and a count', { rate: [rising], count: 3 }, 2_000],
    ['steps without an end', { rate: [rising, always] }, 10_000],
  ];
  for (const [what, given, durationMs] of ends) {
    it(`ends with ${what} after ${durationMs} ms`, () => {
      const plan = planOf(given);
      assert.equal(plan.durationMs, durationMs);
      assert.equal(plan.count, given.count ?? Number.POSITIVE_INFINITY);
    });
  }

  it('has the steps of a rate', () => {
    assert.deepEqual(planOf({ rate: 5 }).rate, [always]);
    assert.deepEqual(planOf({ rate: [rising, always] }).rate, [rising, always]);
  });
});

describe('a number of a load', () => {
  const integer = 'an integer';
  const ms = 'milliseconds';
  const ranges: readonly (readonly [name: string, kind: string, min: number, max: number])[] = [
    ['connections', integer, 1, 50_000],
    ['pipelining', integer, 1, 1_024],
    ['durationMs', ms, 1, DAY_MS],
    ['count', integer, 1, 1e12],
    ['warmUpMs', ms, 0, DAY_MS],
    ['timeoutMs', ms, 1, DAY_MS],
    ['core', integer, 0, 1_023],
  ];
  for (const [name, kind, min, max] of ranges) {
    it(`is ${kind} from ${min} to ${max}: ${name}`, () => {
      for (const value of [min, max]) assert.deepEqual(problemsOf({ [name]: value }), []);
      const problem = (value: unknown): string =>
        `${name}: given ${String(value)}, allowed: ${kind} from ${min} to ${max}`;
      for (const value of [min - 1, max + 1, -1, Number.NaN, -Infinity, '5', null, 'x']) {
        assert.ok(problemsOf({ [name]: value }).includes(problem(value)), String(value));
      }
      const half = min + 0.5;
      assert.deepEqual(problemsOf({ [name]: half }), kind === ms ? [] : [problem(half)]);
      assert.deepEqual(problemsOf({ [name]: undefined }), []);
    });
  }

  it('may be Infinity where another end is given', () => {
    const { POSITIVE_INFINITY: endless } = Number;
    assert.deepEqual(problemsOf({ durationMs: endless, count: 1 }), []);
    assert.deepEqual(problemsOf({ durationMs: 1, count: endless }), []);
    const only = ['durationMs: Infinity is allowed only with a count'];
    assert.deepEqual(problemsOf({ durationMs: endless }), only);
    assert.deepEqual(problemsOf({ durationMs: endless, count: endless }), only);
    for (const name of ['connections', 'pipelining', 'warmUpMs', 'timeoutMs', 'core']) {
      assert.match(problemsOf({ [name]: endless })[0], new RegExp(`^${name}: given Infinity`));
    }
  });
});

describe('the problem of a load', () => {
  const steps =
    `rate: allowed: requests a second up to ${RATE_MAX}, or steps; ` +
    'only the last step may have no duration, and only with a constant rate';
  const weight = 'weights: allowed: integers from 1 to 1000000';
  const step = { from: 1, to: 1, durationMs: 10 };
  const endless = { ...step, durationMs: Number.POSITIVE_INFINITY };
  const cases: readonly (readonly [given: Readonly<Record<string, unknown>>, lines: string[]])[] = [
    [{ url: [] }, ['url: none given, at least one is needed']],
    [{ url: undefined }, ['url: none given, at least one is needed']],
    [{ url: 'https://a/' }, ['https://a/: TLS is not supported, use http://']],
    [
      { url: ['http://a/', 'http://a:8080/x', 'http://b/'] },
      ['http://a:8080/x: all URLs of a load must be of one server, a'],
    ],
    [{ speed: 3 }, ['speed: no such option']],
    [{ connection: 3 }, ['connection: no such option; did you mean connections?']],
    [{ timeout_ms: 3 }, ['timeout_ms: no such option; did you mean timeoutMs?']],
    [{ method: '' }, ['method: given "", allowed: a name such as GET']],
    [{ method: 'GET ' }, ['method: given "GET ", allowed: a name such as GET']],
    [
      { method: 'M'.repeat(33) },
      [`method: given "${'M'.repeat(33)}", allowed: a name such as GET`],
    ],
    [{ weights: [1, 1] }, ['weights: 2 given for 1 URLs']],
    [{ weights: [] }, ['weights: 0 given for 1 URLs']],
    [{ weights: [0] }, [weight]],
    [{ weights: [1.5] }, [weight]],
    [{ weights: [1_000_001] }, [weight]],
    [
      { url: [url, url], weights: [1, 1_000] },
      ['weights: their sum in lowest terms is 1001, allowed: up to 1000'],
    ],
    [{ headers: [['A b', 'c']] }, ['header: "A b: c" has an invalid field name']],
    [{ headers: [['', 'c']] }, ['header: ": c" has an invalid field name']],
    [{ headers: [['A', 'b\u0000']] }, ['header: "A: b\\u0000" has an invalid field value']],
    ...['Content-Length', 'transfer-encoding', 'CONNECTION'].map(
      (name): [Readonly<Record<string, unknown>>, string[]] => [
        { headers: [[name, '1']] },
        [`header: ${name} cannot be given, it is made from body and keep-alive`],
      ],
    ),
    [
      { keepAlive: false, pipelining: 2 },
      [
        'pipelining: given 2, allowed: 1 without keep-alive, ' +
          'because each request has its own connection',
      ],
    ],
    [{ rate: 0 }, ['rate: allowed: more than 0 requests a second']],
    [{ rate: [] }, ['rate: allowed: more than 0 requests a second']],
    [
      { rate: [{ from: 0, to: 0, durationMs: 10 }] },
      ['rate: allowed: more than 0 requests a second'],
    ],
    [{ rate: -1 }, [steps]],
    [{ rate: RATE_MAX + 1 }, [steps]],
    [{ rate: Number.NaN }, [steps]],
    [{ rate: [{ ...step, to: -1 }] }, [steps]],
    [{ rate: [{ ...step, from: RATE_MAX + 1 }] }, [steps]],
    [{ rate: [endless, step] }, [steps]],
    [{ rate: [{ ...endless, to: 2 }] }, [steps]],
    [{ rate: [{ ...step, durationMs: 0 }], durationMs: 5 }, [steps]],
    [{ rate: [step], warmUpMs: 10 }, ['warmUpMs: not shorter than all steps of the rate together']],
    [
      { body: new Uint8Array(1_000_000), pipelining: 300 },
      [
        'pipelining: the requests in flight of a connection take more than 268435456 bytes; ' +
          'allowed: a smaller body, or less pipelining',
      ],
    ],
  ];
  for (const [given, lines] of cases) {
    it(`${lines[0].slice(0, 60)}: ${JSON.stringify(given).slice(0, 60)}`, () => {
      assert.deepEqual(problemsOf(given), lines);
    });
  }

  it('is too much memory from the next byte on', () => {
    // 1,024 requests of 256 KiB: one cycle, and as many as are in flight.
    const head = 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 262000\r\n\r\n';
    const bytes = 256 * 1024 - head.length;
    const problems = (more: number): number =>
      problemsOf({ body: new Uint8Array(bytes + more), pipelining: 1_023 }).length;
    assert.deepEqual([problems(0), problems(1)], [0, 1]);
  });

  it('is none for values at the edges of what is allowed', () => {
    for (const given of [
      { url: ['http://a/', 'http://a:80/x'] },
      { method: "!#$%&'*+.^_`|~0Az-" },
      { method: 'M'.repeat(32) },
      { weights: [1_000_000] },
      { url: [url, url], weights: [1, 999] },
      { url: [url, url], weights: [2_000, 2_000] },
      { headers: [['A', '']] },
      { keepAlive: false, pipelining: 1 },
      { keepAlive: true, pipelining: 2 },
      { rate: RATE_MAX },
      { rate: [{ from: 0, to: 1, durationMs: 1 }, step] },
      { rate: [{ from: 1, to: 0, durationMs: 1 }, endless] },
      { rate: [step], warmUpMs: 9 },
      { body: new Uint8Array(1_000_000), pipelining: 260 },
    ]) {
      assert.deepEqual(problemsOf(given), [], JSON.stringify(given).slice(0, 80));
    }
  });

  it('is one line of several, all at once', () => {
    assert.deepEqual(problemsOf({ url: [], speed: 1, core: -1, method: '', rate: -1 }), [
      'speed: no such option',
      'core: given -1, allowed: an integer from 0 to 1023',
      'url: none given, at least one is needed',
      'method: given "", allowed: a name such as GET',
      steps,
    ]);
  });
});
