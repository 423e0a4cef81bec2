// The load test example as a process: against its own server, also with two workers, and a given
// one; its limits and exit codes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { example, type Running, run, start } from '../../testing/program.ts';

leaveOutOfCoverage();

const script = example('load-test');
const timeout = 60_000;
const SHORT = ['--seconds', '1', '--connections', '4'];
let other: Running;

before(async () => {
  other = await start(example('web-server'), ['0']);
});

after(async () => {
  await other.stop();
});

test('measures a server that it starts, with two workers', { timeout }, async () => {
  const { code, out, problems } = await run(script, [...SHORT, '--workers', '2']);
  assert.equal(code, 0, problems);
  assert.match(
    problems,
    /^(vibing info: worker \d served .*\n){2}$/,
    'both workers ended in order',
  );
  const loads = out.split(/^half of that rate: (\d+) requests a second$/m);
  assert.equal(loads.length, 3);
  assert.match(loads[0], /^full load on http:\/\/127\.0\.0\.1:\d+\/\n/);
  assert.ok(Number(loads[1]) > 1);
  for (const text of [loads[0], loads[2]]) assert.match(text, /99/, 'percentiles');
});

test('measures a given server, and judges its statuses and its P99', { timeout }, async () => {
  const address = String(other.port);
  const { code, out, problems } = await run(script, [address, '--path', '/api/time', ...SHORT]);
  assert.deepEqual([code, problems], [0, '']);
  assert.match(out, new RegExp(`^full load on http://127\\.0\\.0\\.1:${address}/api/time$`, 'm'));
  const missing = await run(script, [address, '--path', '/no$&thing', ...SHORT]);
  assert.match(missing.out, /^full load on http:\/\/127\.0\.0\.1:\d+\/no\$&thing$/m);
  assert.equal(missing.code, 1);
  assert.match(missing.problems, /^\d+ responses were 404$/m);
});

test('fails when responses are slower than allowed', { timeout }, async () => {
  const slow = createServer((_request, response) => {
    setTimeout(() => response.end('late'), 20);
  });
  slow.listen(0, '127.0.0.1');
  await once(slow, 'listening');
  const { port } = slow.address() as AddressInfo;
  const args = [String(port), '--seconds', '1', '--connections', '2'];
  const strict = await run(script, [...args, '--p99', '1']);
  assert.equal(strict.code, 1);
  assert.match(strict.problems, /^the P99 is \d+\.\d\d ms, above 1 ms\n$/);
  slow.closeAllConnections();
  slow.close();
});

test('prints errors in one line', { timeout }, async () => {
  for (const args of [
    ['nonsense'],
    ['--wat'],
    ['80', '81'],
    ['--seconds', '0'],
    ['--connections', 'many'],
    ['--path', 'x', '80'],
  ]) {
    const { code, out, problems } = await run(script, args);
    assert.deepEqual([code, out], [2, ''], args.join(' '));
    assert.match(problems, /^[^\n]+\n$/);
  }
  const refused = await run(script, ['1', ...SHORT]);
  assert.equal(refused.code, 1);
  assert.match(refused.problems, /^[^\n]*refused[^\n]*\n$/i);
});

test('has --help', { timeout }, async () => {
  const { code, out, problems } = await run(script, ['--help']);
  assert.deepEqual([code, problems], [0, '']);
  assert.match(out, /^usage: load-test \[address\] \[options\]\n/);
});
