// `vibing load` as a process: reports to the terminal and to files, exit codes, Ctrl-C.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createServer, type Server } from '../../src/index.ts';
import { slowTests } from '../../testing/slow-tests.ts';

const slowTest = slowTests();

const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'vibing-load-'));
const timeout = 60_000;
const NO_PRLIMIT =
  spawnSync('prlimit', ['--version']).error === undefined ? false : 'prlimit is not installed';
let server: Server;
let url: string;

before(async () => {
  server = createServer({ host: '127.0.0.1', port: 0, logLevel: 'warn' });
  server.get('/', (_req, res) => res.text('Hello, World!'));
  url = `http://127.0.0.1:${(await server.listen()).port}/`;
});

after(async () => {
  await server.close();
  rmSync(FOLDER, { recursive: true, force: true });
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** With `interruptAt` it gets SIGINT when its standard error matches. */
function load(args: readonly string[], interruptAt: RegExp | null = null): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, 'load', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  let isInterrupted = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    if (isInterrupted || interruptAt?.test(err) !== true) return;
    isInterrupted = true;
    child.kill('SIGINT');
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

describe('vibing load', { timeout }, () => {
  slowTest('prints a report, and writes it in every format', async () => {
    const [json, csv, html] = ['a.json', 'a.csv', 'a.html'].map((name) => join(FOLDER, name));
    const files = ['--json', json, '--csv', csv, '--html', html];
    const { code, err, out } = await load([url, '-c', '4', '-n', '2000', ...files]);
    assert.deepEqual([code, err.replace(/^.* of 2,000 .*\n/gm, '')], [0, '']);
    for (const part of [
      /^GET http:/,
      /\n4 connections, no pipelining, closed loop, driver \w+\n/,
      /\n {2}requests\/s +[\d,]+\n/,
      /\n {2}responses +2,000 in /,
      /\n {2}P99\.99 +[\d.]+ (us|ms|s)\n/,
      /█.* %/,
      /\n {2}status +200: 2,000\n/,
      /\n {2}this load +(\d+ % of a core|share of a core not measured)/,
    ]) {
      assert.match(out, part);
    }
    const report = JSON.parse(readFileSync(json, 'utf8'));
    assert.equal(report.responses, 2_000);
    assert.deepEqual(report.urls, [url]);
    const [columns, ...rows] = readFileSync(csv, 'utf8').trim().split('\n');
    assert.match(columns, /^end_s,.*p99_ms$/);
    const sum = rows.reduce((count, row) => count + Number(row.split(',')[2]), 0);
    assert.equal(sum, 2_000);
    const page = readFileSync(html, 'utf8');
    assert.match(page, /^<!doctype html>/);
    assert.doesNotMatch(page, /<script|src=|href=/);
  });

  slowTest('prints only JSON with --json -', async () => {
    const { code, out } = await load([url, '-n', '10', '-c', '2', '--json', '-', '--no-progress']);
    assert.equal(code, 0);
    assert.equal(JSON.parse(out).responses, 10);
  });

  slowTest('ends on Ctrl-C, and prints the results so far', async () => {
    const { code, err, out } = await load([url, '-c', '2', '-d', '60s'], /1 of 60 s/);
    assert.equal(code, 130, err);
    assert.match(out, /INTERRUPTED/);
    assert.match(out, / {2}status +200: /);
  });

  slowTest('has exit codes', async () => {
    const other = await load([url, '-n', '10', '-c', '1', '--expect-body', 'no']);
    assert.equal(other.code, 1);
    assert.match(other.out, /errors +body: 10/);
    const missing = await load([`${url}missing`, '-n', '10', '-c', '1']);
    assert.equal(missing.code, 1, missing.out);
    assert.match(missing.out, /status +404: 10/);
    const some = await load([url, `${url}missing`, '-n', '10', '-c', '1']);
    assert.equal(some.code, 0, some.out);
    const refused = await load(['http://127.0.0.1:1/', '-c', '1']);
    assert.deepEqual([refused.code, refused.out], [1, '']);
    assert.match(refused.err, /^vibing: cannot connect to 127\.0\.0\.1:1: .*\n$/);
    const wrong = await load(['https://a/', '-c', '0', '--fast']);
    assert.deepEqual([wrong.code, wrong.out], [2, '']);
    assert.match(wrong.err, /^vibing: -c: .*\nvibing: --fast: .*\n$/);
    const bad = await load(['https://a/', 'http:///x']);
    assert.equal(bad.code, 2);
    assert.match(
      bad.err,
      /^vibing: https:.*: TLS is not supported.*\nvibing: .*host is missing.*\n$/,
    );
    const rate = await load([url, '-R', '0', '-m', 'G T', '--weights', '1,2']);
    assert.equal(rate.code, 2);
    assert.match(
      rate.err,
      /^vibing: --weights: 2 given .*\nvibing: --method: .*\nvibing: --rate: /,
    );
    const help = await load(['--help']);
    assert.equal(help.code, 0);
    assert.match(help.out, /^vibing load: /);
  });

  slowTest('checks at its start that all files can be written, and changes none', async () => {
    const [old, fresh] = ['old.json', 'fresh.csv'].map((name) => join(FOLDER, name));
    writeFileSync(old, 'as it was');
    const nowhere = join(FOLDER, 'no', 'a.html');
    const files = ['--json', old, '--csv', fresh, '--html', nowhere];
    // No server listens there: a load that started would report that instead.
    const { code, err, out } = await load(['http://127.0.0.1:1/', ...files]);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /^vibing: --html: cannot write .*: no such file or directory \(ENOENT\)\n$/);
    const missing = await load(['http://127.0.0.1:1/', '--json', old, '--csv', fresh]);
    assert.equal(missing.code, 1);
    assert.equal(readFileSync(old, 'utf8'), 'as it was');
    assert.equal(existsSync(fresh), false);
    const folder = await load([url, '--json', FOLDER]);
    assert.match(folder.err, /^vibing: --json: cannot write .*\(EISDIR\)\n$/);
    const twice = await load([url, '--json', old, '--csv', old, '--html', '-']);
    assert.equal(twice.code, 2);
    assert.match(twice.err, /^vibing: --csv: ".*old\.json" is already used by --json\n$/);
    const both = await load([url, '--json', '-', '--csv', '-']);
    assert.equal(both.err, 'vibing: --csv: standard output is already used by --json\n');
  });

  slowTest(
    'fails at its start when the limit of descriptors is too low',
    {
      skip: NO_PRLIMIT,
    },
    async () => {
      const few = [process.execPath, MAIN, 'load', url, '-c', '200'];
      const { status, stderr } = spawnSync('prlimit', ['--nofile=128:128', ...few], {
        encoding: 'utf8',
      });
      assert.equal(status, 1);
      assert.match(stderr, /^vibing: 200 connections need 264 open files, .* may have 128: .*\n$/);
    },
  );

  slowTest('compares two reports', async () => {
    const [a, b, none] = ['one.json', 'two.json', 'none.json'].map((name) => join(FOLDER, name));
    await load([url, '-n', '100', '-c', '2', '--json', a]);
    await load([url, '-n', '200', '-c', '2', '--json', b]);
    writeFileSync(none, '{}');
    const compared = await load(['--compare', a, b]);
    assert.equal(compared.code, 0);
    assert.match(compared.out, /\nrequests\/s +[\d,]+ +[\d,]+ +[+-]?[\d.]+ %/);
    const wrong = await load(['--compare', none, join(FOLDER, 'gone.json')]);
    assert.equal(wrong.code, 2);
    assert.match(
      wrong.err,
      /none\.json": not a report of a load\nvibing: .*gone\.json": no such file/,
    );
  });
});
