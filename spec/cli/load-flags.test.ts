// The arguments of `vibing load`: their meaning, and the problems of invalid ones.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { helpFor } from '../../src/cli/help.ts';
import {
  LOAD_FLAGS,
  type LoadFlags,
  parseLoadFlags,
  rateFrom,
  timeFrom,
} from '../../src/cli/load-flags.ts';
import { progressText } from '../../src/cli/progress-line.ts';

const parse = (...args: string[]): LoadFlags =>
  parseLoadFlags(args, (path) => (path === 'there' ? Buffer.from('content') : 'not there'));
const FOREVER = Number.POSITIVE_INFINITY;

describe('the flags of a load', () => {
  it('have short and long names, with a separate or an attached value', () => {
    const wanted = {
      url: ['http://a:1/b'],
      connections: 64,
      durationMs: 60_000,
      pipelining: 16,
      method: 'POST',
      headers: [
        ['A', 'b: c'],
        ['D', ''],
      ],
      body: 'text',
    };
    const short = ['-c64', '-d', '1m', '-p', '16', '-m', 'POST', '-H', 'A: b: c', '-H', 'D:'];
    assert.deepEqual(parse('http://a:1/b', ...short, '-b', 'text').options, wanted);
    const long = ['--connections=64', '--duration', '60s', '--pipelining=16', '--method=POST'];
    const more = ['--header', 'A:b: c', '--header=D: ', '--body=text'];
    const { options, problems, progress } = parse(...long, ...more, 'a:1/b');
    assert.deepEqual([options, problems, progress], [wanted, [], true]);
  });

  it('cover all other options', () => {
    const { compare, options, outputs, problems, progress } = parse(
      ...['localhost', '[::1]:8080/x', 'http://c/', '--weights', '1,2,3', '--amount', '5'],
      ...['--no-keep-alive', '--warm-up=0.5', '--timeout', '250ms', '--socket', 's', '-t', '1'],
      ...['--driver', 'net', '--core', '1', '-R', '10@1s,0..5@2s', '--input', 'there'],
      ...['--expect-body-file=there', '--json', '-', '--csv=b', '--html', 'c', '--no-progress'],
    );
    assert.deepEqual(problems, []);
    assert.deepEqual([progress, compare], [false, null]);
    assert.deepEqual(outputs, [
      { flag: '--json', path: '-' },
      { flag: '--csv', path: 'b' },
      { flag: '--html', path: 'c' },
    ]);
    assert.deepEqual(options, {
      url: ['http://localhost', 'http://[::1]:8080/x', 'http://c/'],
      weights: [1, 2, 3],
      count: 5,
      keepAlive: false,
      warmUpMs: 500,
      timeoutMs: 250,
      socket: 's',
      driver: 'net',
      core: 1,
      rate: [
        { from: 10, to: 10, durationMs: 1_000 },
        { from: 0, to: 5, durationMs: 2_000 },
      ],
      body: Buffer.from('content'),
      expectBody: Buffer.from('content'),
    });
    assert.deepEqual(parse('--compare', 'a', 'b').compare, ['a', 'b']);
    assert.equal(parse('-h').help, true);
  });

  it('are rejected with a line each, all at once', () => {
    const { problems } = parse(
      ...['-c', '0', '-d', 'soon', '-R', 'fast', '-t', '4', '--driver', 'iocp', '-H', 'none'],
      ...['--conections', '--no-keep-alive=1', '-i', 'gone', '-x', '--core'],
    );
    const wanted = [
      /^-c: given "0", allowed: an integer from 1 to 50000$/,
      /^-d: given "soon", allowed: a time such as/,
      /^-R: given "fast", allowed: requests a second, or steps/,
      /^-t: a load runs on one thread; start one for each core, with --core$/,
      /^--driver: given "iocp", allowed: auto, uring, epoll, net$/,
      /^-H: given "none", allowed: 'Name: value'$/,
      /^--conections: no such flag; did you mean --connections\?$/,
      /^--no-keep-alive: takes no value$/,
      /^-i: cannot read "gone": not there$/,
      /^-x: no such flag; "vibing load --help" lists the flags$/,
      /^--core: given no value, allowed: --core N$/,
      /^a URL is needed/,
    ];
    assert.equal(problems.length, wanted.length, problems.join('\n'));
    for (const [index, pattern] of wanted.entries()) assert.match(problems[index], pattern);
    assert.match(parse('--compare', 'a').problems[0], /^--compare: two files are needed/);
  });

  it('of other programs are accepted when they mean the same', () => {
    const { options, problems } = parse(
      ...['-a', '5', '-z', '3s', '--overallRate=7', '-w', '1', '-L', '--latency', '-E', 'body'],
      ...['--disable-keepalive', '-S', 'path', '--', 'a:1'],
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(options, {
      url: ['http://a:1'],
      count: 5,
      durationMs: 3_000,
      rate: [{ from: 7, to: 7, durationMs: FOREVER }],
      expectBody: 'body',
      keepAlive: false,
      socket: 'path',
    });
  });

  it('of other programs are rejected with what to use instead', () => {
    const problem = (flag: string): string => parse('a:1', flag).problems[0];
    assert.match(problem('-q'), /^-q: no such flag; use --rate for the requests a second /);
    assert.match(problem('-u'), /^-u: no such flag; use -H 'Authorization: Basic \.\.\.'$/);
    assert.match(problem('--vus=3'), /^--vus: no such flag; use --connections$/);
    assert.match(problem('-W'), /^-W: no such flag; use --warm-up TIME$/);
  });

  it('that exclude each other are both named', () => {
    const { problems } = parse('a:1', '-p', '4', '--no-keep-alive');
    assert.equal(problems.length, 1);
    assert.match(problems[0], /^--pipelining 4 and --no-keep-alive exclude each other: /);
    assert.deepEqual(parse('a:1', '-p', '1', '--no-keep-alive').problems, []);
  });

  it('do not take a flag as a file name', () => {
    const { problems } = parse('a:1', '--json', '--html', 'page.html');
    assert.match(problems[0], /^--json: given "--html", allowed: a file, or - /);
  });

  it('are all in the help, in lines of 100 columns', () => {
    const help = helpFor('load');
    for (const { long } of LOAD_FLAGS) assert.ok(help.includes(`--${long}`), long);
    for (const line of help.split('\n')) assert.ok(line.length <= 100, line);
  });
});

describe('times and rates', () => {
  it('have units, and seconds without', () => {
    const times = ['10', '10s', '1.5s', '2m', '1h', '500ms', '0'].map(timeFrom);
    assert.deepEqual(times, [10_000, 10_000, 1_500, 120_000, 3_600_000, 500, 0]);
    for (const text of ['', 's', '-1', '1d', '1 s', 'Infinity']) assert.equal(timeFrom(text), null);
  });

  it('have steps and ramps', () => {
    assert.deepEqual(rateFrom('1000'), [{ from: 1_000, to: 1_000, durationMs: FOREVER }]);
    assert.deepEqual(rateFrom('0..100@1m,100'), [
      { from: 0, to: 100, durationMs: 60_000 },
      { from: 100, to: 100, durationMs: FOREVER },
    ]);
    for (const text of ['', '1,', '1@', '..5', '-1', '1@x']) assert.equal(rateFrom(text), null);
  });
});

describe('the progress line', () => {
  const progress = {
    phase: 'running',
    elapsedMs: 5_000,
    durationMs: 10_000,
    responses: 1_000,
    count: FOREVER,
    errors: 0,
    requestsPerSecond: 12_345,
    p99Ms: 1.25,
  } as const;

  it('has a bar, the rate and P99', () => {
    assert.equal(progressText(progress, 4), '██░░ 5 of 10 s  12,345/s  P99 1.25 ms');
    const counted = { ...progress, durationMs: FOREVER, count: 4_000, errors: 3 };
    assert.equal(progressText(counted, 0), '1,000 of 4,000  12,345/s  P99 1.25 ms, 3 errors');
    const warming = { ...progress, phase: 'warm-up', elapsedMs: -2_000 } as const;
    assert.equal(progressText(warming, 4), 'warming up, 2 s left');
  });
});
