// Promises and ticks that the callback of a watched descriptor queues run by themselves, without a
// timer or another descriptor.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import { ffi } from '../../../src/driver/linux/ffi.ts';

const isLinux = process.platform === 'linux';
const problem = isLinux ? ffi() : 'other systems watch nothing';

/** In a process of its own, because the test runner's timers would run promises. */
function orderIn(body: string): string {
  const module = new URL('../../../src/driver/linux/ffi.js', import.meta.url).href;
  const script = `
    import { writeSync } from 'node:fs';
    const { ffi } = await import(${JSON.stringify(module)});
    const { func, watchOnLoop } = ffi();
    const events = [];
    const watched = watchOnLoop(func('int eventfd(uint32_t, int)')(1, 0), () => {
      if (events.length > 0) return;
      events.push('called');
      watched.close();
      ${body}
    });
    watched.arm();
    // Keeps the process alive, and ends it when nothing else does.
    setTimeout(() => end('no callback'), 10_000);
    function end(event) {
      events.push(event);
      writeSync(1, events.join(', '));
      process.exit();
    }
  `;
  const options = { encoding: 'utf8', timeout: 60_000 } as const;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], options);
}

const options = typeof problem === 'string' ? { skip: problem } : {};

it('promises of the callback run by themselves', options, () => {
  assert.equal(orderIn("Promise.resolve().then(() => end('promise'));"), 'called, promise');
});

it('ticks of the callback do too, and what they throw ends the process', options, () => {
  assert.equal(orderIn("process.nextTick(() => end('tick'));"), 'called, tick');
  const thrown = "process.on('uncaughtException', (error) => end(error.message));";
  const throwing = "process.nextTick(() => { throw new Error('thrown'); });";
  assert.equal(orderIn(thrown + throwing), 'called, thrown');
});

it('promises after promises, with immediates between them, run too', options, () => {
  const body = `
    const step = async () => {
      await null;
      await new Promise((resolve) => setImmediate(resolve));
      await null;
      end('third');
    };
    void step();
  `;
  assert.equal(orderIn(body), 'called, third');
});
