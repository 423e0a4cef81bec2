// Which driver is chosen: the named one, else the fastest that works here, with a note when that is
// not the fastest of all.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { ERRNO } from '../../src/base/errno.ts';
import { Slab } from '../../src/base/slab.ts';
import {
  type Candidate,
  type Choice,
  chooseDriver,
  type DriverName,
} from '../../src/driver/choose.ts';
import { callFault } from '../../src/driver/linux/call-fault.ts';
import { epollProblem } from '../../src/driver/linux/epoll.ts';
import { uringProblem } from '../../src/driver/linux/uring-problem.ts';
import { NetDriver } from '../../src/driver/net/net.ts';
import { ScriptedRing } from './scripted/ring.ts';

function chosen(name: DriverName): Choice {
  const choice = chooseDriver(name, { slab: new Slab(1024, 4), slots: 4, backlog: 8 });
  choice.driver.destroy();
  return choice;
}

/** Runs `body` as if on another system. */
function onOtherSystem(body: () => void): void {
  const { platform } = process;
  Object.defineProperty(process, 'platform', { value: 'plan9' });
  try {
    body();
  } finally {
    Object.defineProperty(process, 'platform', { value: platform });
  }
}

it('net is chosen by its name, without a note', () => {
  const { driver, note } = chosen('net');
  assert.equal(driver.name, 'net');
  assert.equal(note, null);
});

const AUTO = "'auto' chooses one that can";

/** Candidates with these problems; those without one make a `net` driver. */
function candidates(uring: string | null, epoll: string | null): Candidate[] {
  const make = (name: 'uring' | 'epoll', problem: string | null): Candidate => ({
    name,
    problem: () => problem,
    make: (options) => Object.assign(new NetDriver(options), { name }),
  });
  return [make('uring', uring), make('epoll', epoll)];
}

const NOTES: readonly (readonly [string | null, string | null, string, string | null])[] = [
  [null, null, 'uring', null],
  [null, 'no', 'uring', null],
  ['no', null, 'epoll', 'driver epoll; uring cannot run here: no'],
  ['no', 'nor', 'net', 'driver net; uring cannot run here: no; epoll cannot run here: nor'],
  ['no', 'no', 'net', 'driver net; uring and epoll cannot run here: no'],
];

for (const [uring, epoll, name, note] of NOTES) {
  it(`auto with uring ${uring ?? 'fine'} and epoll ${epoll ?? 'fine'} is ${name}`, () => {
    const options = { slab: new Slab(1024, 4), slots: 4, backlog: 8 };
    const choice = chooseDriver('auto', options, candidates(uring, epoll));
    choice.driver.destroy();
    assert.equal(choice.driver.name, name);
    assert.equal(choice.note, note);
  });
}

it('a driver that cannot start is passed over by auto, and an error by its name', () => {
  const broken = candidates(null, null).map((candidate) => ({
    ...candidate,
    make: () => {
      throw callFault('epoll_create1', ERRNO.EMFILE);
    },
  }));
  const options = { slab: new Slab(1024, 4), slots: 4, backlog: 8 };
  const { driver, note } = chooseDriver('auto', options, broken);
  driver.destroy();
  const problem = `cannot run here: epoll_create1 failed: ${TOO_MANY}`;
  assert.equal(driver.name, 'net');
  assert.equal(note, `driver net; uring and epoll ${problem}`);
  for (const name of ['uring', 'epoll'] as const) {
    assert.throws(() => chooseDriver(name, options, broken), {
      message: `the driver ${name} ${problem}; ${AUTO}`,
      code: 'ENOTSUP',
    });
  }
});

it('an error of a driver that is no fault of the kernel is a bug, and thrown', () => {
  const bugs = candidates(null, null).map((candidate) => ({
    ...candidate,
    make: () => {
      throw new TypeError('a bug');
    },
  }));
  const options = { slab: new Slab(1024, 4), slots: 4, backlog: 8 };
  assert.throws(() => chooseDriver('auto', options, bugs), /^TypeError: a bug/);
});

it('a driver that works here is chosen by name, without a note; auto chooses the first', (t) => {
  const working: DriverName[] = [];
  if (uringProblem() === null) working.push('uring');
  if (epollProblem() === null) working.push('epoll');
  if (working.length === 0) {
    t.skip('none but net');
    return;
  }
  for (const name of working) {
    const { driver, note } = chosen(name);
    assert.equal(driver.name, name);
    assert.equal(note, null);
  }
  assert.equal(chosen('auto').driver.name, working[0]);
});

it('where none can run, auto chooses net and says why; a named driver is an error', () => {
  onOtherSystem(() => {
    const { driver, note } = chosen('auto');
    assert.equal(driver.name, 'net');
    assert.equal(note, 'driver net; uring and epoll cannot run here: this is plan9, not Linux');
    for (const name of ['uring', 'epoll'] as const) {
      assert.throws(() => chosen(name), {
        message: `the driver ${name} cannot run here: this is plan9, not Linux; ${AUTO}`,
        code: 'ENOTSUP',
      });
    }
  });
});

const TOO_MANY = 'too many open files; raise the limit of descriptors (ulimit -n) (EMFILE)';
const FILE_MAX = 'raise fs.file-max (ENFILE)';

const ERRORS: readonly (readonly [errno: number, problem: string])[] = [
  [
    ERRNO.EPERM,
    'io_uring is forbidden (set kernel.io_uring_disabled to 0, or allow it in the seccomp profile)',
  ],
  [ERRNO.ENOSYS, 'this kernel has no io_uring (use Linux 6.1 or newer)'],
  [ERRNO.EINVAL, 'this kernel is older than Linux 6.1, which the driver uring needs'],
  [ERRNO.ENOMEM, 'there is no memory for a ring (raise RLIMIT_MEMLOCK)'],
  [ERRNO.EMFILE, `io_uring_setup failed: ${TOO_MANY}`],
  [ERRNO.ENFILE, `io_uring_setup failed: too many open files in the whole system; ${FILE_MAX}`],
  [ERRNO.EIO, 'io_uring_setup failed: the kernel reports an error (EIO)'],
  [7, 'io_uring_setup failed: the kernel reports an error (errno 7)'],
];

for (const [errno, problem] of ERRORS) {
  it(`a kernel that sets up no ring, errno ${errno}, is explained in one line`, () => {
    const kernel = new ScriptedRing();
    kernel.failing = { name: 'setup', after: 0, errno };
    assert.equal(uringProblem(kernel), problem);
    assert.equal(kernel.open.size, 0);
  });
}

it('a kernel without provided buffer rings is too old, and the check leaves nothing open', () => {
  const kernel = new ScriptedRing();
  kernel.failing = { name: 'register', after: 1, errno: ERRNO.EINVAL };
  assert.equal(
    uringProblem(kernel),
    'this kernel is older than Linux 6.1, which the driver uring needs',
  );
  kernel.failing = null;
  assert.equal(uringProblem(kernel), null);
  assert.equal(kernel.open.size, 0);
  assert.equal(kernel.memory.mappingCount, 0);
});

it('a kernel that may drop completions is not used, and the check leaves nothing open', () => {
  const kernel = new ScriptedRing();
  const setup = kernel.setup.bind(kernel);
  kernel.setup = (entries, params) => {
    const fd = setup(entries, params);
    // The features in struct io_uring_params.
    params[5] = 0;
    return fd;
  };
  assert.equal(uringProblem(kernel), 'no NODROP feature');
  assert.equal(kernel.open.size, 0);
});

/** The problem in a process where requiring the FFI library fails with `fault`. */
function problemWith(fault: { code?: string; message: string }): string {
  const module = new URL('../../src/driver/linux/epoll.js', import.meta.url).href;
  const script = `
    import Module from 'node:module';
    const load = Module._load;
    Module._load = (name, ...rest) => {
      if (name === 'koffi') throw Object.assign(new Error(), ${JSON.stringify(fault)});
      return load(name, ...rest);
    };
    const { epollProblem } = await import(${JSON.stringify(module)});
    process.stdout.write(String(epollProblem()));
  `;
  const options = { encoding: 'utf8', timeout: 60_000 } as const;
  return execFileSync(process.execPath, ['--input-type=module', '-e', script], options);
}

const linuxOnly = process.platform === 'linux' ? {} : { skip: 'other systems load no FFI library' };

it('says why there is no FFI', linuxOnly, () => {
  const message = 'Cannot find the native module\nRequire stack';
  const problems = ['MODULE_NOT_FOUND', 'ERR_DLOPEN_FAILED', undefined].map((code) =>
    problemWith({ ...(code === undefined ? {} : { code }), message }),
  );
  assert.deepEqual(problems, [
    'koffi is not installed (npm install koffi)',
    'koffi does not load: ERR_DLOPEN_FAILED',
    'koffi does not load: Cannot find the native module',
  ]);
});

/** Null where a process can forbid itself io_uring, for the test of a full server. */
const forbidding = uringProblem() ?? (process.arch === 'x64' ? null : 'written for x64');

it(
  'a server for which io_uring is forbidden serves with epoll, and says so in one line',
  forbidding === null ? {} : { skip: forbidding },
  () => {
    const forbid = new URL('./programs/forbid-uring.js', import.meta.url).href;
    const serving = new URL('./programs/one-request.js', import.meta.url).pathname;
    const result = spawnSync(process.execPath, ['--import', forbid, serving], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.deepEqual(
      { status: result.status, out: result.stdout, problems: result.stderr },
      {
        status: 0,
        out: 'epoll: hello\n',
        problems: `vibing info: driver epoll; uring cannot run here: ${ERRORS[0][1]}\n`,
      },
    );
  },
);
