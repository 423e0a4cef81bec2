// Which driver is chosen: what was asked for, else the best that works here, with a word when that
// is not the fastest.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { it } from 'node:test';
import { Slab } from '../../src/base/slab.ts';
import { type Choice, chooseDriver, type DriverName } from '../../src/driver/choose.ts';
import { epollProblem } from '../../src/driver/epoll.ts';

function chosen(name: DriverName): Choice {
  const choice = chooseDriver(name, { slab: new Slab(1024, 4), slots: 4, backlog: 8 });
  choice.driver.destroy();
  return choice;
}

/** Runs `body` on what says it is another system. */
function elsewhere(body: () => void): void {
  const { platform } = process;
  Object.defineProperty(process, 'platform', { value: 'plan9' });
  try {
    body();
  } finally {
    Object.defineProperty(process, 'platform', { value: platform });
  }
}

it('net is had by its name, without a word', () => {
  const { driver, note } = chosen('net');
  assert.equal(driver.name, 'net');
  assert.equal(note, null);
});

it('where epoll works it is chosen, without a word', (context) => {
  const problem = epollProblem();
  if (problem !== null) {
    context.skip(problem);
    return;
  }
  for (const name of ['auto', 'epoll'] as const) {
    const { driver, note } = chosen(name);
    assert.equal(driver.name, 'epoll');
    assert.equal(note, null);
  }
});

it('where it cannot run, auto takes net and says why; asked for by name it is an error', () => {
  elsewhere(() => {
    const { driver, note } = chosen('auto');
    assert.equal(driver.name, 'net');
    assert.equal(note, 'driver net; epoll cannot run here: this is plan9, not Linux');
    assert.throws(() => chosen('epoll'), {
      message: 'the epoll driver cannot run here: this is plan9, not Linux',
    });
  });
});

/** What is said in a process where requiring the FFI library fails with `code`. */
function problemWith(code: string): string {
  const module = new URL('../../src/driver/epoll.js', import.meta.url).href;
  const script = `
    import Module from 'node:module';
    const load = Module._load;
    Module._load = (name, ...rest) => {
      if (name === 'koffi') throw Object.assign(new Error(name), { code: ${JSON.stringify(code)} });
      return load(name, ...rest);
    };
    const { epollProblem } = await import(${JSON.stringify(module)});
    process.stdout.write(String(epollProblem()));
  `;
  const options = { encoding: 'utf8', timeout: 60_000 } as const;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], options);
}

const linuxOnly = process.platform === 'linux' ? {} : { skip: 'other systems do not ask' };

it('says in a few words why there is no FFI', linuxOnly, () => {
  assert.equal(problemWith('MODULE_NOT_FOUND'), 'koffi is not installed');
  assert.equal(problemWith('ERR_DLOPEN_FAILED'), 'koffi does not load: ERR_DLOPEN_FAILED');
});
