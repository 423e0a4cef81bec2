// `vibing metrics` as a process: its arguments, once, into a pipe, as a page, and in a terminal,
// where tmux shows what a user sees.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseMetricsFlags } from '../../src/cli/metrics/flags.ts';
import { ChildProgram } from '../../testing/child-program.ts';
import { eventually } from '../../testing/with-server.ts';
import { childrenOf } from '../cluster/fixtures/service-site.ts';
import { Model, ModelSite } from '../viewer/fixtures/model-server.ts';
import { request } from '../viewer/fixtures/steps.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const timeout = 60_000;
const model = new Model({ workers: 2, started: Date.now() / 1000 - 100 });
const site = new ModelSite(() => {
  for (let count = 0; count < 7; count++) model.add(request({ route: '/\u001b[31mred' }));
  return model.snapshot(Date.now() / 1000);
});

before(() => site.open());
after(() => site.close());

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function metrics(...args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, 'metrics', ...args]);
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

describe('the arguments of vibing metrics', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    [
      '',
      [
        'an address is needed, such as 8080 or http://127.0.0.1:8080/metrics; ' +
          '"vibing metrics --help" lists the flags',
      ],
    ],
    ['123456', ['123456: the port is from 1 to 65535']],
    ['http://me:secret@host/', [/^user and password are not allowed in the address/.source]],
    ['8080 9090', ['"9090": unexpected argument']],
    ['ftp://a --onec', ['--onec: no such flag; did you mean --once?', /^ftp:/.source]],
    ['https://a --ca x --insecure', ['--ca and --insecure exclude each other']],
    ['https://a --ca', ['--ca: given no value, allowed: --ca FILE']],
    ['8080 --json', ['--json: only with --once']],
    ['8080 -p 80', ['--port: only with --web']],
    ['8080 --web --port 99999', ['--port: given "99999", allowed: an integer from 0 to 65535']],
    ['8080 --web --port', ['--port: given no value, allowed: --port N']],
    ['8080 --web --once', ['--web and --once exclude each other']],
    ['8080 --web -i 2', ['--web and --interval exclude each other']],
    ['8080 -i 1ms', ['-i: given "1ms", allowed: a time from 200ms to 60s']],
    ['8080 --web=yes', ['--web: takes no value']],
  ];
  for (const [line, wanted] of cases) {
    it(`"${line}" is wrong`, () => {
      const { problems } = parseMetricsFlags(line.split(' ').filter((arg) => arg !== ''));
      assert.equal(problems.length, wanted.length, problems.join('\n'));
      for (const [index, text] of wanted.entries()) {
        if (text.startsWith('^')) assert.match(problems[index], new RegExp(text));
        else assert.equal(problems[index], text);
      }
    });
  }

  it('have values up to their limits', () => {
    const problems = (...args: readonly string[]) => parseMetricsFlags(['8080', ...args]).problems;
    for (const port of ['0', '65535']) assert.deepEqual(problems('--web', '--port', port), []);
    for (const port of ['65536', '-1', '1e3', '']) {
      assert.equal(problems('--web', '--port', port).length, 1);
    }
    for (const time of ['200ms', '0.2', '60', '1m']) assert.deepEqual(problems('-i', time), []);
    for (const time of ['199ms', '60.001', '61s']) assert.equal(problems('-i', time).length, 1);
  });

  it('are read in any order', () => {
    const flags = parseMetricsFlags(['--interval=500ms', '--', 'localhost:9/m']);
    assert.deepEqual([flags.url?.href, flags.intervalMs], ['http://localhost:9/m', 500]);
    const web = parseMetricsFlags(['--web', '-p', '8090', '9']);
    assert.deepEqual([web.web, web.port, web.problems], [true, 8090, []]);
  });
});

describe('vibing metrics', { timeout }, () => {
  it('prints one snapshot as text and as JSON', async () => {
    const text = await metrics(String(site.port), '--once');
    assert.deepEqual([text.code, text.err], [0, '']);
    assert.match(
      text.out,
      /^127\.0\.0\.1:\d+ {2}vibing 0\.1\.0 {2}uring {2}2 workers {2}up 1 min\n/,
    );
    assert.match(text.out, /^GET {5}\/\\x1b\[31mred /m);
    const json = await metrics(site.url, '--once', '--json');
    assert.equal(json.code, 0);
    assert.equal(JSON.parse(json.out).server.version, '0.1.0');
    assert.ok(!json.out.includes('\u001b'));
    const deep = createServer((_request, response) => {
      const more = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
      response.setHeader('Content-Type', 'application/json');
      response.end(`{"version":1,"time":5,"families":[],"more":${more}}`);
    });
    deep.listen(0, '127.0.0.1');
    await once(deep, 'listening');
    const { port } = deep.address() as AddressInfo;
    const nested = await metrics(String(port), '--once', '--json');
    deep.close().closeAllConnections();
    assert.deepEqual([nested.code, nested.out], [1, '']);
    assert.match(
      nested.err,
      /^vibing: [^\n]*: the snapshot is nested too deeply to print it[^\n]*\n$/,
    );
  });

  it('prints a line an interval into a pipe, until Ctrl-C', async () => {
    const child = new ChildProgram(MAIN, ['metrics', site.url, '--interval', '200ms']);
    await eventually('it has printed lines', () => child.out.split('\n').length > 3);
    child.process.kill('SIGINT');
    assert.equal(await child.exitCode(), 130);
    for (const line of child.out.trimEnd().split('\n')) {
      assert.match(line, /^\d\d:\d\d:\d\d {2}[\d.]+ requests\/s {2}P50 1\.\d\d ms {2}P99 /);
    }
  });

  it('ends when nothing reads its lines', async () => {
    const child = new ChildProgram(MAIN, ['metrics', site.url, '--interval', '200ms']);
    await eventually('it has printed a line', () => child.out.includes('\n'));
    child.process.stdout.destroy();
    assert.equal(await child.exitCode(), 0);
  });

  it('serves a page, until Ctrl-C', async () => {
    const child = new ChildProgram(MAIN, ['metrics', site.url, '--web']);
    const line = await child.line(/ in a browser: /);
    const shown = /^open (http:\/\/127\.0\.0\.1:\d+\/) in a browser: metrics of (\S+); /;
    const [, page, target] = shown.exec(line) ?? [];
    assert.equal(target, site.url);
    assert.match(await (await fetch(page)).text(), /<title>Metrics<\/title>/);
    const taken = await metrics(site.url, '--web', '--port', new URL(page).port);
    assert.equal(taken.code, 1);
    assert.match(taken.err, /^vibing: cannot listen on 127\.0\.0\.1:\d+: .*\(EADDRINUSE\)\n$/);
    child.process.kill('SIGINT');
    assert.equal(await child.exitCode(), 0);
  });

  it('ends by Ctrl-C while it waits for the first snapshot', async () => {
    let asked = 0;
    const silent = createServer(() => {
      asked += 1;
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    try {
      for (const [flags, code] of [
        [[], 130],
        [['--web'], 0],
      ] as const) {
        const before = asked;
        const child = new ChildProgram(MAIN, ['metrics', String(port), ...flags]);
        await eventually('it has asked', () => asked > before);
        child.process.kill('SIGINT');
        assert.equal(await child.exitCode(), code);
        assert.equal(child.out, '');
      }
    } finally {
      silent.close().closeAllConnections();
    }
  });

  it('has exit codes and clear errors', async () => {
    const [refused, missing, wrong, help] = await Promise.all([
      metrics('1'),
      metrics(`${site.port}/other`.replace(/^/, '127.0.0.1:')),
      metrics('--port'),
      metrics('--help'),
    ]);
    assert.deepEqual([refused.code, missing.code, wrong.code, help.code], [1, 1, 2, 0]);
    assert.equal(
      refused.err,
      'vibing: http://127.0.0.1:1/metrics: connection refused: no server listens there\n',
    );
    assert.match(
      missing.err,
      /: 404: no metrics there for this client: start it with --metrics; .*metrics_port\n$/,
    );
    assert.match(wrong.err, /^vibing: --port: given no value.*\nvibing: an address is needed/);
    assert.match(help.out, /^vibing metrics: [\s\S]*--interval TIME/);
  });
});

/** The processes of a shell are found in /proc. */
const hasTmux = process.platform === 'linux' && spawnSync('tmux', ['-V']).status === 0;

describe('vibing metrics in a terminal', {
  timeout,
  skip: hasTmux ? false : 'there is no tmux, or no Linux, here',
}, () => {
  const socket = `vibing-${process.pid}`;
  const tmux = (...args: readonly string[]): string =>
    spawnSync('tmux', ['-L', socket, '-f', '/dev/null', ...args], { encoding: 'utf8' }).stdout;
  const shown = (): string => tmux('capture-pane', '-p');
  const shows = (what: RegExp): Promise<void> =>
    eventually(`the terminal shows ${what}`, () => what.test(shown()));

  /** The shell waits for a command. */
  const PROMPT = /^prompt>$/m;

  after(() => {
    tmux('kill-server');
  });

  it('fills the screen, follows keys and size, and leaves the screen as it was', async () => {
    const command = 'PS1="prompt> " exec sh';
    tmux('new-session', '-d', '-x', '90', '-y', '30', command);
    await shows(PROMPT);
    tmux('send-keys', `'${process.execPath}' '${MAIN}' metrics ${site.port}`, 'Enter');
    await shows(/^ROUTE +REQ\/S ↓/m);
    await shows(/^GET {5}\/\\x1b\[31mred +[1-9]/m);
    assert.match(shown(), /^q quit/m);
    tmux('send-keys', 'Right');
    await shows(/P50 ↓/);
    tmux('send-keys', 'p');
    await shows(/● paused$/m);
    tmux('resize-window', '-x', '50', '-y', '24');
    await shows(/^WORKER +CORE +REQ\/S +OPEN$/m);
    // Stopped and continued: the shell has its screen meanwhile.
    tmux('send-keys', 'C-z');
    await shows(PROMPT);
    tmux('send-keys', 'fg', 'Enter');
    await shows(/● paused$/m);
    tmux('send-keys', 'q');
    await shows(PROMPT);
    tmux('send-keys', 'echo "code $?"', 'Enter');
    await shows(/^code 0$/m);
    assert.doesNotMatch(shown(), /WORKER|quit/);
  });

  it('leaves the screen when a signal ends it, too', async () => {
    const shell = Number(tmux('display-message', '-p', '#{pane_pid}'));
    const line = `clear; '${process.execPath}' '${MAIN}' metrics ${site.port}; echo "code $?"`;
    for (const [signal, code] of [
      ['SIGTERM', 130],
      ['SIGHUP', 129],
      ['SIGQUIT', 131],
    ] as const) {
      tmux('send-keys', line, 'Enter');
      await shows(/^q quit/m);
      const [pid] = childrenOf(shell);
      process.kill(pid, signal);
      await shows(new RegExp(`^code ${code}$`, 'm'));
      assert.doesNotMatch(shown(), /WORKER|q quit/);
    }
  });
});
