// `vibing load` in this process: its exit codes, interruptions, the files that it writes, and the
// line of its progress.

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { faultText } from '../../src/cli/fault-text.ts';
import { load } from '../../src/cli/load.ts';
import { flagProblem, LOAD_FLAGS, parseLoadFlags, timeFrom } from '../../src/cli/load-flags.ts';
import { outputProblems } from '../../src/cli/output-files.ts';
import { ProgressLine } from '../../src/cli/progress-line.ts';
import { FAILED, INTERRUPTED, OK, type Terminal, USAGE_ERROR } from '../../src/cli/terminal.ts';
import type { Progress } from '../../src/load/run-load.ts';
import { CLOSED } from '../load/fixtures/reports.ts';

const folder = mkdtempSync(join(tmpdir(), 'vibing-load-here-'));
let server: Server;
let url = '';

before(async () => {
  server = createServer((request, response) => {
    if (request.url === '/error') response.statusCode = 500;
    response.end('hello');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.close().closeAllConnections();
  rmSync(folder, { recursive: true });
});

/** A terminal that keeps what it gets. */
class Kept implements Terminal {
  readonly columns: number;
  text = '';
  errors = '';
  readonly exits: number[] = [];
  interrupt: () => void = () => {};

  constructor(columns = 0) {
    this.columns = columns;
  }

  out(text: string): void {
    this.text += text;
  }

  err(text: string): void {
    this.errors += text;
  }

  onInterrupt(listener: () => void): void {
    this.interrupt = listener;
  }

  exit(code: number): void {
    this.exits.push(code);
  }
}

const FEW = ['-n', '5', '-c', '1', '--driver', 'net', '--no-progress'];

describe('a load', () => {
  it('is a failure when a file cannot be written, and then prints its results', async () => {
    const [kept, gone] = [join(folder, 'kept.csv'), join(folder, 'gone')];
    for (const [first, second] of [
      ['-', join(gone, 'b.csv')],
      [join(gone, 'a.json'), kept],
      [join(folder, 'a.json'), join(gone, 'b.csv')],
    ]) {
      mkdirSync(gone);
      const terminal = new Kept();
      const ran = load([...FEW, '--json', first, '--csv', second, url], terminal);
      // The paths were good when it began.
      rmSync(gone, { recursive: true });
      assert.equal(await ran, FAILED, terminal.errors);
      assert.match(terminal.errors, /^vibing: --(json|csv): cannot write "[^"]+": no such file/m);
      const printed = first === '-' ? terminal.errors : terminal.text;
      assert.match(printed, /^ {2}responses +5 in /m);
      if (first === '-') assert.equal(JSON.parse(terminal.text).responses, 5);
    }
    assert.match(readFileSync(kept, 'utf8'), /^end_s,/);
  });

  it('is a failure when all responses are errors, and none when some are not', async () => {
    const all = new Kept();
    assert.equal(await load([...FEW, `${url}/error`], all), FAILED);
    assert.match(all.text, /status +500: 5$/m);
    const some = new Kept();
    assert.equal(await load([...FEW, `${url}/error`, `${url}/`], some), OK);
    const refused = new Kept();
    assert.equal(await load([...FEW, 'http://127.0.0.1:1/'], refused), FAILED);
    assert.match(refused.errors, /^vibing: cannot connect to 127\.0\.0\.1:1: /);
    assert.deepEqual([...all.exits, ...some.exits, ...refused.exits], []);
  });

  it('ends at the first interruption with its results, and exits at the second', async () => {
    const terminal = new Kept();
    const ran = load(['-d', '60', '-c', '1', '--driver', 'net', url], terminal);
    terminal.interrupt();
    assert.deepEqual(terminal.exits, []);
    terminal.interrupt();
    assert.deepEqual(terminal.exits, [INTERRUPTED]);
    assert.equal(await ran, INTERRUPTED);
    assert.match(terminal.text, /^INTERRUPTED: /m);
  });

  it('has the problems of its options by the names of their flags', async () => {
    const terminal = new Kept();
    const args = ['--warm-up', '3', '-R', '5@2s', 'http://a/', 'http://b/', '--weights', '1'];
    assert.equal(await load(args, terminal), USAGE_ERROR);
    assert.match(terminal.errors, /^vibing: --weights: 1 given for 2 URLs$/m);
    assert.match(terminal.errors, /^vibing: --warm-up: not shorter than /m);
    assert.equal(terminal.text, '');
  });
});

describe('a comparison', () => {
  const path = (name: string): string => join(folder, name);

  it('has the first report before the second', async () => {
    writeFileSync(path('one.json'), JSON.stringify({ ...CLOSED, requestsPerSecond: 111 }));
    writeFileSync(path('two.json'), JSON.stringify({ ...CLOSED, requestsPerSecond: 222 }));
    const terminal = new Kept();
    const args = ['--compare', path('one.json'), path('two.json')];
    assert.equal(await load(args, terminal), OK);
    assert.match(terminal.text, /^requests\/s +111 +222 +\+100\.0 %/m);
    assert.match(terminal.text, /^ +\S*one\.json +\S*two\.json +change$/m);
  });

  it('has a line for each file that is no report', async () => {
    for (const [name, text] of [
      ['null.json', 'null'],
      ['text.json', '{'],
      ['other.json', '{"format":2}'],
    ]) {
      writeFileSync(path(name), text);
      const terminal = new Kept();
      assert.equal(await load(['--compare', path(name), path('none')], terminal), USAGE_ERROR);
      const [first, second] = terminal.errors.split('\n');
      assert.match(first, /^vibing: "[^"]+": not (JSON|a report of a load)$/);
      assert.match(second, /^vibing: "[^"]+none": no such file or directory \(ENOENT\)$/);
    }
  });
});

describe('the files of a report', () => {
  const problems = (...paths: readonly string[]): readonly string[] =>
    outputProblems(paths.map((path, index) => ({ flag: `--${index + 1}`, path })));

  it('are each used once, whatever they are called', () => {
    const path = join(folder, 'used');
    const other = relative(process.cwd(), path);
    assert.deepEqual(problems(path, '-'), []);
    assert.match(problems(path, other)[0], /^--2: "[^"]+" is already used by --1$/);
    assert.deepEqual(problems('-', path, '-'), ['--3: standard output is already used by --1']);
  });

  it('are neither made nor changed before the load', () => {
    const [absent, full, link, target] = ['absent', 'full', 'link', 'target'].map((name) =>
      join(folder, name),
    );
    writeFileSync(full, 'content');
    symlinkSync(target, link);
    assert.deepEqual(problems(absent, full, link), []);
    assert.deepEqual([existsSync(absent), existsSync(target)], [false, false]);
    assert.equal(readFileSync(full, 'utf8'), 'content');
    assert.match(problems(folder)[0], /^--1: cannot write "[^"]+": illegal operation on a dir/);
  });
});

describe('the flags of a load at their limits', () => {
  const parse = (...args: readonly string[]) => parseLoadFlags([...args], () => 'not there');

  it('have values up to them, and none beyond', () => {
    const cases: readonly (readonly [string, readonly string[], readonly string[]])[] = [
      ['-c', ['1', '50000'], ['0', '50001', '1.5', '']],
      ['-p', ['1', '1024'], ['0', '1025']],
      ['-n', ['1', '1000000000000'], ['0', '1000000000001']],
      ['--core', ['0', '1023'], ['1024', '-1']],
      ['-d', ['1ms', '24h'], ['0', '0.5ms', '24.001h']],
      ['--timeout', ['1ms', '24h'], ['0', '86401']],
      ['--warm-up', ['0', '24h'], ['25h']],
      ['-H', ['A:', 'a: b: c'], [':', ': b', 'a']],
    ];
    for (const [flag, good, bad] of cases) {
      for (const value of good) assert.deepEqual(parse('a:1', flag, value).problems, [], value);
      for (const value of bad) {
        assert.match(parse('a:1', flag, value).problems.join(), new RegExp(`^${flag}: given "`));
      }
    }
    for (const text of ['1S', '1MS', '1H']) assert.equal(timeFrom(text), null);
  });

  it('have values with an equals sign, attached or not', () => {
    for (const args of [['-bk=v'], ['-b', 'k=v'], ['--body=k=v'], ['--body', 'k=v']]) {
      assert.equal(parse('a:1', ...args).options.body, 'k=v');
    }
  });

  it('need no URL for the help, and take no part of a weight', () => {
    for (const help of ['-h', '--help']) assert.deepEqual(parse(help).problems, []);
    const { weights } = parse('a:1', 'a:1', 'a:1', '--weights', '2x,3,').options;
    assert.deepEqual(weights, [0, 3, 0]);
  });

  it('stand for the options of problems by names that there are', () => {
    const options = ['durationMs', 'warmUpMs', 'header', 'method', 'pipelining', 'rate', 'weights'];
    for (const option of options) {
      const flag = /^--([\w-]+): why$/.exec(flagProblem(`${option}: why`))?.[1];
      assert.ok(
        LOAD_FLAGS.some(({ long }) => long === flag),
        option,
      );
    }
    assert.equal(flagProblem('url: why'), 'url: why');
  });
});

describe('the line of the progress', () => {
  const progress: Progress = {
    ...{ phase: 'running', elapsedMs: 5_000, durationMs: 10_000, responses: 1, errors: 0 },
    ...{ count: Number.POSITIVE_INFINITY, requestsPerSecond: 1, p99Ms: 1 },
  };

  it('leaves the last column free, and is cleared once', () => {
    const terminal = new Kept(20);
    const line = new ProgressLine(terminal);
    line.clear();
    assert.equal(terminal.errors, '');
    line.show(progress);
    const [, drawn] = terminal.errors.split('\u001b[2K');
    assert.equal(drawn.length, 19);
    line.clear();
    const { length } = terminal.errors;
    line.clear();
    assert.equal(terminal.errors.length, length);
  });

  it('is a line of its own where there is no terminal', () => {
    const terminal = new Kept(0);
    const line = new ProgressLine(terminal);
    line.show(progress);
    line.clear();
    assert.equal(terminal.errors, '5 of 10 s  1/s  P99 1.00 ms\n');
  });
});

it('a fault of the system has its words and its code, on one line', () => {
  const fault = (code: string, message = 'one\ntwo'): string =>
    faultText(Object.assign(new Error(message), { code }));
  assert.equal(fault('ENOENT'), 'no such file or directory (ENOENT)');
  assert.equal(fault('ENOTFOUND'), 'host name not found (ENOTFOUND)');
  assert.match(fault('EMFILE'), /^too many open files; raise the limit .* \(EMFILE\)$/);
  assert.equal(fault('EOTHER'), 'one (EOTHER)');
  assert.equal(faultText('text\nmore'), 'text');
});
