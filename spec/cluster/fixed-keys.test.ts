// Changes of keys that a reload cannot change, by their names in the file.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedKeys, fixedValues } from '../../src/cluster/fixed-keys.ts';
import { configFrom, type ServerOptions } from '../../src/server/config/config.ts';

const CHANGES: readonly (readonly [ServerOptions, readonly string[]])[] = [
  [{}, []],
  [{ listing: true, logLevel: 'debug', shutdownTimeoutMs: 1_000 }, []],
  [{ host: '127.0.0.2' }, ['host']],
  [{ port: 81 }, ['port']],
  [{ socket: '/run/x.sock', socketMode: 0o660 }, ['host', 'port', 'socket', 'socket_mode']],
  [{ workers: 2 }, ['workers']],
  [{ workerTimeoutMs: 0 }, ['worker_timeout_ms']],
  [{ workers: 'auto', supervise: true }, ['workers', 'supervise']],
  [{ driver: 'net', backlog: 7 }, ['driver', 'backlog']],
];

test('only changed keys are named', () => {
  const before = fixedValues(configFrom({}));
  for (const [options, keys] of CHANGES) {
    // Workers send it as JSON.
    const after = JSON.parse(JSON.stringify(fixedValues(configFrom(options))));
    assert.deepEqual(changedKeys(before, after), keys, JSON.stringify(options));
  }
});
