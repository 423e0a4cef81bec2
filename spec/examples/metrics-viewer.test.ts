// The metrics viewer example as a process: its server, its load, its page, its exit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { example, run, start } from '../../testing/program.ts';

const script = example('metrics-viewer');
const timeout = 60_000;

test('shows a server with a load, and another viewer shows the same server', {
  timeout,
}, async () => {
  const viewer = await start(script, []);
  try {
    const shown = /^open (\S+) in a browser: metrics of (\S+); Ctrl-C stops$/;
    const [, page, target] = shown.exec(viewer.line) ?? [];
    assert.match(await (await fetch(page)).text(), /<h1 id="target">/);
    const headers = { accept: 'application/json' };
    let seen = 0;
    while (seen < 20) {
      const { families } = (await (await fetch(target, { headers })).json()) as Families;
      const durations = families.find(({ name }) => name === DURATIONS);
      seen = (durations?.series ?? [])
        .filter(({ labels }) => labels['http_route'] === '/users/:id')
        .reduce((sum, { count }) => sum + count, 0);
    }
    const other = await start(script, [new URL(target).host, '--no-load']);
    assert.equal(shown.exec(other.line)?.[2], target, other.line);
    assert.equal(await other.stop(), 0);
    assert.equal(await viewer.stop(), 0);
  } finally {
    await viewer.stop();
  }
});

test('has help, and one line for a wrong address or a server that is not there', {
  timeout,
}, async () => {
  const help = await run(script, ['--help']);
  assert.equal(help.code, 0);
  assert.match(help.out, /^usage: metrics-viewer \[address\] \[--no-load\]\n/);
  const wrong = await run(script, ['no address']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.problems, /^invalid address "no address": .*\n$/);
  const none = await run(script, ['0']);
  assert.equal(none.code, 2);
  assert.match(none.problems, /^port 0 is no port of a running server: .*\n$/);
  const refused = await run(script, ['127.0.0.1:1']);
  assert.equal(refused.code, 1);
  assert.match(refused.problems, /^http:\/\/127\.0\.0\.1:1\/metrics: connection refused: .*\n$/);
});

const DURATIONS = 'http_server_request_duration_seconds';

interface Families {
  readonly families: readonly {
    readonly name: string;
    readonly series: readonly {
      readonly labels: Readonly<Record<string, string>>;
      readonly count: number;
    }[];
  }[];
}
