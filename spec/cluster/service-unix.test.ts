// A unix socket that several workers share: its mode, its file, and which files it may replace.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { describe } from 'node:test';
import { leaveOutOfCoverage } from '../../testing/coverage.ts';
import { slowTests } from '../../testing/slow-tests.ts';
import { fewDrivers } from '../../testing/with-server.ts';
import { kernel, LINUX_ONLY, openSocket, ServiceProcess } from './fixtures/service-process.ts';
import { BOUND, fetched, fresh, site } from './fixtures/service-site.ts';

leaveOutOfCoverage();

const slowTest = slowTests();

describe('a unix socket of several workers', LINUX_ONLY, () => {
  for (const driver of fewDrivers()) {
    const started = (socket: string, workers = '2', env = {}) => {
      const asked = ['--driver', driver, '--workers', workers, '--socket-mode', '600'];
      return new ServiceProcess([site, '--socket', socket, ...asked], { env });
    };

    for (const workers of ['1', '2']) {
      const how = `driver ${driver}, ${workers} worker(s)`;
      slowTest(`is never more open than its mode, ${how}`, BOUND, async () => {
        const socketPath = fresh('socket');
        const modes = fresh('modes');
        const hook = fresh('hook.cjs');
        // The mode is set right after the file is made.
        writeFileSync(
          hook,
          `const fs = require('node:fs');
const { chmodSync } = fs;
fs.chmodSync = (path, mode) => {
  fs.appendFileSync(${JSON.stringify(modes)}, (fs.statSync(path).mode & 0o777).toString(8) + ' ');
  chmodSync(path, mode);
};
require('node:module').syncBuiltinESMExports();\n`,
        );
        const service = started(socketPath, workers, { NODE_OPTIONS: `--require ${hook}` });
        await service.listening();
        assert.match(readFileSync(modes, 'utf8'), /^(600 )+$/);
        assert.equal(await service.stop(), 0);
      });
    }

    slowTest(`keeps the file of a server that replaced it, driver ${driver}`, BOUND, async () => {
      const socketPath = fresh('socket');
      const first = started(socketPath, '1');
      await first.listening();
      unlinkSync(socketPath);
      const second = started(socketPath, '1');
      await second.listening();
      assert.equal(await first.stop(), 0);
      assert.equal(await fetched({ socketPath }), 'hello\n');
      assert.equal(await second.stop(), 0);
      assert.equal(existsSync(socketPath), false);
    });

    slowTest(
      `serves with its mode and is removed at the end, driver ${driver}`,
      BOUND,
      async () => {
        const socketPath = fresh('socket');
        const service = started(socketPath);
        assert.equal(await service.listening(), `unix:${socketPath}`);
        assert.equal(statSync(socketPath).mode & 0o777, 0o600);
        for (let count = 0; count < 10; count++)
          assert.equal(await fetched({ socketPath }), 'hello\n');
        assert.equal(await service.stop(), 0);
        assert.equal(service.problems, '');
        assert.equal(existsSync(socketPath), false);
      },
    );

    slowTest(`is an error when another server listens on it, driver ${driver}`, BOUND, async () => {
      const socketPath = fresh('socket');
      const first = started(socketPath);
      await first.listening();
      const second = started(socketPath);
      assert.equal(await second.ended, 1);
      assert.equal(
        second.err,
        `vibing: cannot listen on ${socketPath}: address already in use; ` +
          'stop the other server, or choose another port or address (EADDRINUSE)\n',
      );
      assert.equal(await fetched({ socketPath }), 'hello\n');
      assert.equal(await first.stop(), 0);
    });

    slowTest(`replaces one that a dead server left behind, driver ${driver}`, BOUND, async () => {
      const socketPath = fresh('socket');
      kernel().close(openSocket({ path: socketPath }));
      assert.ok(existsSync(socketPath));
      const service = started(socketPath);
      await service.listening();
      assert.equal(await fetched({ socketPath }), 'hello\n');
      assert.equal(statSync(socketPath).mode & 0o777, 0o600);
      assert.equal(await service.stop(), 0);
      assert.equal(existsSync(socketPath), false);
    });

    slowTest(`never replaces an ordinary file, driver ${driver}`, BOUND, async () => {
      const socketPath = fresh('file');
      writeFileSync(socketPath, 'precious');
      const service = started(socketPath);
      assert.equal(await service.ended, 1);
      assert.equal(readFileSync(socketPath, 'utf8'), 'precious');
    });
  }
});
