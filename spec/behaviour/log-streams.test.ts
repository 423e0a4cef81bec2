// Logs of a server whose reader is gone, full, or stopped: the server keeps responding, buffers
// little, counts the lines that it drops, and exits when it is closed.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { get } from '../../testing/raw-client.ts';
import {
  type DriverName,
  eventually,
  onDriversInTurn,
  oneDriver,
  wait,
} from '../../testing/with-server.ts';
import { LogServer, Pipe, type Stream } from './fixtures/log-process.ts';

leaveOutOfCoverage();

/** Requests with access log lines of this length: 64 MB together. */
const LINE_BYTES = 8_000;
const MANY = 16_000;
const LONG = get('/', `User-Agent: ${'u'.repeat(LINE_BYTES)}`);
/** The young generation alone may grow by 32 MiB; all lines are 128 MB. */
const GROWTH_MAX = 80 * 1024 * 1024;
/** How long a closing server may wait for a reader, on a loaded machine. */
const CLOSE_MS_MAX = 30_000;
const DROPPED = /(\d+) lines/;

/** The server exits in time even if its reader never reads. */
async function closes(server: LogServer): Promise<void> {
  const beganMs = performance.now();
  assert.equal(await server.close(), 0);
  assert.ok(performance.now() - beganMs < CLOSE_MS_MAX);
}

/** Standard output cannot be written; returns what standard error got. */
async function survives(driver: DriverName, out: Stream): Promise<string> {
  const errors = new Pipe();
  const server = await new LogServer(driver, out, errors).listening();
  assert.equal(await server.ask(get('/'), 100), 'hello');
  await wait(20);
  assert.equal(await server.ask(get('/'), 100), 'hello');
  assert.equal(await server.ask(get('/error')), 'Internal Server Error\n');
  await closes(server);
  errors.read();
  assert.match(errors.text, /vibing error: GET \/error: Error: failed on purpose\n/);
  assert.doesNotMatch(errors.text, /Unhandled|uncaught|node:events/);
  return errors.text;
}

onDriversInTurn(
  'logs of a server',
  (add) => {
    add('on a pipe whose reader is gone', async (driver) => {
      const out = new Pipe();
      const errors = new Pipe();
      const server = new LogServer(driver, out, errors);
      out.closeReader();
      await server.listening();
      assert.equal(await server.ask(get('/'), 100), 'hello');
      await wait(20);
      assert.equal(await server.ask(get('/'), 100), 'hello');
      const { listeners, logLinesDropped } = await server.stats();
      assert.equal(listeners, 0);
      assert.ok(logLinesDropped >= 200, String(logLinesDropped));
      await closes(server);
      errors.read();
      assert.equal(errors.lines.length, 1, errors.text);
      assert.match(errors.lines[0], /^vibing error: standard output .*EPIPE/);
    });

    add('on a pipe whose reader exits, like `head`', async (driver) => {
      const out = new Pipe();
      const errors = new Pipe();
      const server = await new LogServer(driver, out, errors).listening();
      await server.ask(get('/'));
      await eventually('a line', () => out.read() && out.lines.length === 1);
      out.closeReader();
      for (let round = 0; round < 3; round++) {
        assert.equal(await server.ask(get('/'), 100), 'hello');
        await wait(10);
      }
      assert.ok((await server.stats()).logLinesDropped >= 300);
      await closes(server);
    });

    add('on a socket whose reader is gone', async (driver) => {
      const errors = new Pipe();
      const server = new LogServer(driver, 'pipe', errors);
      server.process.stdout?.destroy();
      await server.listening();
      assert.equal(await server.ask(get('/'), 100), 'hello');
      await wait(20);
      assert.equal(await server.ask(get('/'), 100), 'hello');
      await closes(server);
      errors.read();
      assert.match(errors.text, /^vibing error: standard output /);
    });

    add('on a device that is full, which it reports once', async (driver) => {
      const text = await survives(driver, openSync('/dev/full', 'w'));
      const told = text.match(/standard output cannot be written \(ENOSPC\)/g);
      assert.equal(told?.length, 1, text);
      assert.match(text, /standard output can no longer be written \(ENOSPC\): \d+ lines/);
    });

    add('on a descriptor that cannot be written', async (driver) => {
      await survives(driver, openSync('/dev/null', 'r'));
    });

    for (const kind of ['closed', 'full'] as const) {
      add(`an error goes to a standard error that is ${kind}`, async (driver) => {
        const errors = kind === 'full' ? openSync('/dev/full', 'w') : new Pipe();
        const server = new LogServer(driver, 'ignore', errors);
        if (errors instanceof Pipe) errors.closeReader();
        await server.listening();
        for (let round = 0; round < 3; round++) {
          assert.equal(await server.ask(get('/error'), 10), 'Internal Server Error\n');
          await wait(10);
        }
        assert.equal((await server.stats()).handlerErrors, 30);
        await closes(server);
      });
    }

    for (const kind of ['a pipe', 'a socket'] as const) {
      add(
        `on ${kind} that is not read: bounded, and the dropped lines are counted`,
        async (driver) => {
          const errors = new Pipe();
          const pipe = new Pipe();
          const out = kind === 'a pipe' ? pipe : 'pipe';
          const server = await new LogServer(driver, out, errors).listening();
          await server.ask(LONG, 300);
          const before = await server.stats();
          await server.ask(LONG, MANY);
          const after = await server.stats();
          assert.ok(after.rss - before.rss < GROWTH_MAX, `${(after.rss - before.rss) >> 20} MiB`);
          assert.ok(after.logLinesDropped > MANY / 2, String(after.logLinesDropped));
          // The reader continues: every line is complete, and the missing ones were counted.
          let socketText = '';
          server.process.stdout?.setEncoding('latin1').on('data', (text: string) => {
            socketText += text;
          });
          const read = () => {
            pipe.read();
            return kind === 'a pipe' ? pipe.text : socketText;
          };
          await eventually('the count', () => {
            read();
            return errors.read() && errors.lines.length > 0;
          });
          assert.equal(errors.lines.length, 1, errors.text);
          assert.match(errors.lines[0], /^vibing error: standard output /);
          const dropped = Number(DROPPED.exec(errors.lines[0])?.[1]);
          // The line of the request for the number is dropped, too.
          assert.equal(dropped, after.logLinesDropped + 1);
          const written = MANY + 300 + 2 - dropped;
          await eventually('the rest', () => read().split('\n').length - 1 === written);
          for (const line of read().split('\n').slice(0, -1)) {
            assert.match(line, /^127\.0\.0\.1 - - \[.*\] "GET \/(?:stats)? HTTP\/1\.1" 200 .*"$/);
          }
          await server.ask(get('/'));
          await eventually('one more', () => read().split('\n').length - 1 === written + 1);
          await closes(server);
        },
      );

      add(`on ${kind} that is never read: it still closes`, async (driver) => {
        const out = kind === 'a pipe' ? new Pipe() : 'pipe';
        const server = await new LogServer(driver, out, 'ignore').listening();
        await server.ask(LONG, 300);
        await closes(server);
      });
    }

    add('a standard error that is not read blocks nothing', async (driver) => {
      const errors = new Pipe();
      const server = await new LogServer(driver, 'ignore', errors).listening();
      await server.ask(get('/long-error'), 300);
      const before = await server.stats();
      await server.ask(get('/long-error'), 5_000);
      const after = await server.stats();
      assert.ok(after.rss - before.rss < GROWTH_MAX, `${(after.rss - before.rss) >> 20} MiB`);
      assert.ok(after.logLinesDropped > 1_000);
      const countAt = () => errors.lines.findIndex((line) => line.includes('standard error'));
      await eventually('the count', () => errors.read() && countAt() > 0);
      // It is logged where the lines are missing.
      assert.equal(countAt(), errors.lines.length - 1);
      assert.equal(Number(DROPPED.exec(errors.lines[countAt()])?.[1]), after.logLinesDropped);
      await server.ask(get('/error'));
      const next = `vibing error: GET /error: Error: failed on purpose`;
      await eventually('one more', () => errors.read() && errors.lines[countAt() + 1] === next);
      await closes(server);
    });

    add('the last lines of a process that exits are written', async (driver) => {
      const folder = mkdtempSync(join(tmpdir(), 'vibing-log-'));
      const file = join(folder, 'log');
      for (const errors of [new Pipe(), openSync(file, 'a')]) {
        const server = await new LogServer(driver, 'ignore', errors).listening();
        await server.ask(get('/exit'));
        assert.equal(await server.end(), 3);
        if (errors instanceof Pipe) errors.read();
        const text = errors instanceof Pipe ? errors.text : readFileSync(file, 'utf8');
        assert.match(text, /vibing error: GET \/exit: Error: the last line\n/);
      }
      rmSync(folder, { recursive: true });
    });

    add('a file gets every line', async (driver) => {
      const folder = mkdtempSync(join(tmpdir(), 'vibing-log-'));
      const file = join(folder, 'log');
      const server = await new LogServer(driver, openSync(file, 'w'), 'ignore').listening();
      await server.ask(get('/'), 2_000);
      await closes(server);
      const lines = readFileSync(file, 'latin1').split('\n');
      assert.equal(lines.length, 2_001);
      rmSync(folder, { recursive: true });
    });

    add('of workers: a reader that stops blocks none of them', async (driver) => {
      const out = new Pipe();
      const errors = new Pipe();
      const server = await new LogServer(driver, out, errors, 2).listening();
      for (let round = 0; round < 12; round++) await server.ask(LONG, 200);
      const dropped = new Map<number, number>();
      for (let round = 0; round < 40; round++) {
        const { logLinesDropped, pid } = await server.stats();
        dropped.set(pid, logLinesDropped);
      }
      assert.ok([...dropped.values()].some((count) => count > 0));
      // Lines of two processes are not mixed.
      out.read();
      for (const line of out.lines) assert.match(line, /^127\.0\.0\.1 - - \[.*"$/);
      await closes(server);
    });
  },
  existsSync('/dev/full') ? oneDriver() : [],
);
