// The real command in a process of its own.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const BOUND = { timeout: 30_000 };
const SITE = mkdtempSync(join(tmpdir(), 'vibing-site-'));
writeFileSync(join(SITE, 'hello.txt'), 'hello\n');

const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(SITE, { recursive: true });
});

/** A started command, with its output so far and its exit. */
class Command {
  out = '';
  err = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(...args: string[]) {
    const env = Object.entries(process.env).filter(([name]) => !name.startsWith('VIBING_'));
    this.child = spawn(process.execPath, [MAIN, ...args], {
      env: Object.fromEntries(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(this.child);
    this.child.stdout?.on('data', (chunk) => {
      this.out += chunk;
    });
    this.child.stderr?.on('data', (chunk) => {
      this.err += chunk;
    });
    this.ended = once(this.child, 'close').then(([code]) => code);
  }

  /** The address that it prints. */
  async listening(): Promise<string> {
    for (;;) {
      const address = /listening on (\S+)/.exec(this.out)?.[1];
      if (address !== undefined) return address;
      const code = await Promise.race([this.ended, once(this.child.stdout ?? this.child, 'data')]);
      assert.ok(Array.isArray(code), `it ended: ${this.err}`);
    }
  }
}

test('the version is that of the package', BOUND, async () => {
  const command = new Command('--version');
  assert.equal(await command.ended, 0);
  assert.match(command.out, /^\d+\.\d+\.\d+\S*\n$/);
});

test('problems go to the standard error with exit code 2', BOUND, async () => {
  const command = new Command('check', '--prot', '80');
  assert.equal(await command.ended, 2);
  assert.equal(command.out, '');
  assert.equal(command.err, 'vibing: --prot: no such flag; did you mean --port?\n');
});

test('check prints everything through a pipe', BOUND, async () => {
  const command = new Command('check', '--port', '81');
  assert.equal(await command.ended, 0);
  assert.equal(JSON.parse(command.out.replace(/^ok\n/, '')).port, 81);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`serve responds until ${signal}`, BOUND, async () => {
    const command = new Command('serve', SITE, '--port', '0', '--access-log');
    const address = await command.listening();
    assert.match(
      command.out,
      /^vibing listening on http:\/\/127\.0\.0\.1:\d+ \(driver \w+, 1 worker\)/,
    );
    assert.ok(command.out.endsWith(`, serving ${SITE}\n`));
    const response = await fetch(`${address}/hello.txt`);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), 'hello\n');
    command.child.kill(signal);
    assert.equal(await command.ended, 0);
    assert.match(
      command.out,
      /\n127\.0\.0\.1 - - \[.*\] "GET \/hello\.txt HTTP\/1\.1" 200 6 .*\n$/,
    );
    const line = 'so / is 404; with --listing it is a list of the files';
    assert.equal(command.err, `vibing: ${SITE} has no index.html, ${line}\n`);
  });
}

test('started by npm it says where to look and how to stop', BOUND, async () => {
  const before = process.env['npm_lifecycle_event'];
  process.env['npm_lifecycle_event'] = 'serve';
  try {
    const command = new Command('serve', SITE, '--port', '0', '--host', '0.0.0.0');
    const address = await command.listening();
    const { port } = new URL(address);
    command.child.kill('SIGINT');
    assert.equal(await command.ended, 0);
    const [, hint] = command.out.split('\n');
    assert.equal(hint, `open http://127.0.0.1:${port}/ in a browser; Ctrl-C stops the server`);
  } finally {
    if (before === undefined) delete process.env['npm_lifecycle_event'];
    else process.env['npm_lifecycle_event'] = before;
  }
});

test('a port that is taken is one line and exit code 1', BOUND, async (t) => {
  const holder = createNetServer();
  t.after(() => holder.close());
  holder.listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const address = holder.address();
  assert.ok(typeof address === 'object' && address !== null);
  const command = new Command('serve', SITE, '--port', String(address.port));
  assert.equal(await command.ended, 1);
  assert.equal(command.out, '');
  assert.equal(
    command.err,
    `vibing: cannot listen on 127.0.0.1:${address.port}: address already in use; ` +
      'stop the other server, or choose another port or address (EADDRINUSE)\n',
  );
});
