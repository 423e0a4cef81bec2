// The ports of a worker on the real process: its channel to the primary, node:cluster, the kernel.

import { reopenLogs } from '../async-io/log-files.ts';
import { builtInModule } from '../base/built-in-module.ts';
import { pinTo } from '../driver/linux/affinity.ts';
import { linuxSyscalls } from '../driver/linux/syscalls.ts';
import { nodeCluster } from './node-cluster.ts';
import type { WorkerPorts } from './ports.ts';

export const nodeWorkerPorts: WorkerPorts = {
  process,
  calls: () => {
    const calls = linuxSyscalls();
    return typeof calls === 'string' ? null : calls;
  },
  pinTo,
  reopenLogs,
  // Not every Node is built with an inspector.
  isDebugged: () =>
    process.features.inspector && builtInModule('node:inspector').url() !== undefined,
  outlivePrimary: () => {
    const { worker } = nodeCluster();
    if (worker !== undefined) worker.exitedAfterDisconnect = true;
  },
  afterAtMost: (delayMs, due) => {
    setTimeout(due, delayMs).unref();
  },
};
