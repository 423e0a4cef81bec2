// The files for deployment are correct: the Dockerfile copies existing files and starts what is
// built, the units of systemd use existing flags, and Node raises the limit of descriptors as
// docs/operations.md says.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseFlags } from '../src/cli/flags.ts';
import { loadConfig } from '../src/server/config/config.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The instructions of each stage. */
function stages(dockerfile: string): Instruction[][] {
  const found: Instruction[][] = [];
  for (const line of dockerfile.replace(/\\\n/g, ' ').split('\n')) {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) {
      assert.match(line, /^(#.*)?$/, 'a line is an instruction or a comment');
      continue;
    }
    if (name === 'FROM') found.push([]);
    found.at(-1)?.push({ name, rest });
  }
  return found;
}

/** Whether `path` is sent to the builder: by the last rule of .dockerignore that matches it. */
function isSent(path: string): boolean {
  let sent = true;
  for (const rule of read('.dockerignore').split('\n')) {
    if (rule === '' || rule.startsWith('#')) continue;
    const bare = rule.replace(/^!/, '');
    const pattern = bare.replaceAll('.', '\\.').replaceAll('*', '[^/]*');
    if (new RegExp(`^${pattern}(/|$)`).test(path)) sent = rule.startsWith('!');
  }
  return sent;
}

describe('the image', () => {
  const all = stages(read('Dockerfile'));
  const last = all.at(-1) ?? [];
  const of = (name: string) => last.filter((each) => each.name === name).map(({ rest }) => rest);

  test('every stage has the same base, which fits the engines of the package', () => {
    const bases = new Set(all.map(([from]) => from?.rest.split(' ')[0]));
    assert.equal(bases.size, 1);
    const major = Number(/^node:(\d+)-/.exec([...bases][0] ?? '')?.[1]);
    assert.ok(major >= 20);
  });

  test('copied files exist, and are sent to the builder', () => {
    const named = new Set(all.map(([from]) => / AS (\w+)$/.exec(from?.rest ?? '')?.[1]));
    let count = 0;
    for (const { name, rest } of all.flat()) {
      if (name !== 'COPY') continue;
      const words = rest.split(/\s+/);
      const stage = /^--from=(\w+)$/.exec(words[0] ?? '')?.[1];
      if (stage !== undefined) {
        assert.ok(named.has(stage), rest);
        continue;
      }
      for (const source of words.slice(0, -1)) {
        assert.ok(existsSync(join(ROOT, source)), source);
        assert.ok(isSent(source), `${source} is not excluded by .dockerignore`);
        count += 1;
      }
    }
    assert.ok(count > 5);
    assert.equal(isSent('node_modules'), false);
    assert.equal(isSent('.git'), false);
    assert.equal(isSent('examples/site/large.bin'), false);
  });

  test('commands are scripts of the project, and the last packages are those of run time', () => {
    const scripts: Record<string, string> = JSON.parse(read('package.json')).scripts;
    const runs = all.flat().filter(({ name }) => name === 'RUN');
    assert.equal(runs.length, 3);
    for (const { rest } of runs) {
      const script = /^npm run (\S+)$/.exec(rest)?.[1];
      // The script that npm ci would run is not in the image.
      if (script === undefined) assert.match(rest, /^npm ci (\S+ )*--ignore-scripts /);
      else assert.ok(script in scripts, script);
    }
    assert.match(runs.at(-1)?.rest ?? '', /^npm ci --omit=dev /);
    assert.ok(of('COPY').includes('--from=packages /app/node_modules node_modules'));
  });

  test('runs without privileges, exits at SIGTERM, listens on the exposed port', () => {
    const [user = ''] = of('USER');
    assert.ok(user !== '' && user !== 'root' && user !== '0', user);
    assert.deepEqual(of('STOPSIGNAL'), ['SIGTERM']);
    const env = Object.fromEntries(
      of('ENV').flatMap((line) => line.split(' ').map((pair) => pair.split('='))),
    );
    const { config, problems, warnings } = loadConfig({ env, flags: [] });
    assert.deepEqual([...problems, ...warnings], []);
    assert.equal(config?.host, '0.0.0.0');
    assert.deepEqual(of('EXPOSE'), [String(config?.port)]);
  });

  test('its entry point is compiled, and its flags exist', () => {
    const [program, script, ...more] = JSON.parse(of('ENTRYPOINT')[0] ?? '[]');
    assert.deepEqual([program, more], ['node', []]);
    assert.ok(existsSync(join(ROOT, script)));
    assert.equal(script, JSON.parse(read('package.json')).bin.vibing.slice('./'.length));
    const [command, ...args] = JSON.parse(of('CMD')[0] ?? '[]');
    assert.equal(command, 'serve');
    const flags = parseFlags(args);
    assert.deepEqual(flags.problems, []);
    assert.ok(of('COPY').some((rest) => rest.endsWith(` ${flags.plain[0]}`)));
  });

  test('its health check needs no curl, and sets the exit code', async () => {
    const command = /CMD (\[.*\])$/.exec(of('HEALTHCHECK')[0] ?? '')?.[1] ?? '[]';
    const [program, ...args] = JSON.parse(command);
    assert.equal(program, 'node');
    let status = 404;
    const server = createServer((_request, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const health = (): Promise<number | null> =>
      new Promise((resolve) => {
        const env = { ...process.env, VIBING_PORT: String(port) };
        spawn(process.execPath, args, { env }).once('exit', resolve);
      });
    assert.equal(await health(), 0);
    status = 503;
    assert.equal(await health(), 1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    assert.equal(await health(), 1);
  });
});

describe('the units of systemd', () => {
  const service = read('examples/deploy/systemd/vibing.service');
  const value = (text: string, name: string) =>
    new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? '';

  test('start the command with flags that exist', () => {
    const [program, script = '', command, ...args] = value(service, 'ExecStart').split(' ');
    assert.match(program ?? '', /^\/.*\/node$/);
    assert.ok(existsSync(join(ROOT, script.slice(script.indexOf('dist/')))));
    assert.equal(command, 'serve');
    const flags = parseFlags(args);
    assert.deepEqual(flags.problems, []);
    assert.ok(flags.config?.startsWith('/etc/'));
    assert.deepEqual(loadConfig({ env: {}, flags: flags.keys }).problems, []);
  });

  test('wait for notifications, and allow V8 to compile', () => {
    assert.equal(value(service, 'Type'), 'notify');
    assert.equal(value(service, 'ExecReload'), '/bin/kill -HUP $MAINPID');
    assert.doesNotMatch(service, /^MemoryDenyWriteExecute=/m);
    // Longer than the drain of 10 seconds and the time until a worker is killed.
    assert.ok(Number(value(service, 'TimeoutStopSec')) > 12);
  });

  test('pass a socket with the name that the server selects', () => {
    const socket = read('examples/deploy/systemd/vibing.socket');
    assert.equal(value(socket, 'FileDescriptorName'), 'vibing');
    assert.match(value(socket, 'ListenStream'), /^\d+$/);
  });

  test('are valid for systemd itself', (context) => {
    const units = ['vibing.service', 'vibing.socket'].map((unit) =>
      join(ROOT, 'examples/deploy/systemd', unit),
    );
    const { error, stderr } = spawnSync('systemd-analyze', ['verify', ...units], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    if (error !== undefined) return context.skip('systemd-analyze is not there');
    // Whether the program is installed, and problems of other units, do not matter.
    assert.doesNotMatch(stderr, /vibing.*(unknown|invalid|parse|ignoring|missing)/i);
  });
});

const needsProc = process.platform === 'linux' ? {} : { skip: 'reads /proc' };

test('Node raises the soft limit of descriptors to the hard one', needsProc, () => {
  const script = `process.stdout.write(require('fs').readFileSync('/proc/self/limits', 'utf8'))`;
  const { stdout } = spawnSync(
    '/bin/sh',
    ['-c', 'ulimit -Sn 64; exec "$0" -e "$1"', process.execPath, script],
    { encoding: 'utf8' },
  );
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(stdout) ?? [];
  assert.ok(Number(hard) > 64, stdout);
  assert.equal(soft, hard);
});
