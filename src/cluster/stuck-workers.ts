// Finds workers whose event loop is blocked, as by a handler that loops for ever, and kills them.
// They are replaced as all workers that die.

import type { Cancel, PrimaryPorts } from './ports.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Checks within the time of silence after which a worker is stuck. */
const CHECKS = 3;

/** By this part of an interval a check may be late and still count: a guess. */
const LATE_MAX = 0.5;

type Ports = Pick<PrimaryPorts, 'after' | 'afterEvents' | 'now'>;

/**
 * Kills a worker that does not respond for `timeoutMs`, at most a third of that later; none when
 * it is 0. Silence is counted in checks, so that the time in which this process did not run (a
 * suspended machine, SIGSTOP, a debugger) does not count: nor could it receive responses then.
 */
export function killStuckWorkers(
  workers: ReadonlySet<WorkerProcess>,
  timeoutMs: number,
  ports: Ports,
  report: (text: string) => void,
): Cancel {
  if (timeoutMs === 0) return () => {};
  const everyMs = Math.ceil(timeoutMs / CHECKS);
  const check = (isLate: boolean): void => {
    for (const worker of workers) {
      if (worker.check(isLate) < CHECKS) continue;
      const why = `its event loop has been blocked for ${timeoutMs} ms (worker_timeout_ms)`;
      const cause = 'look for a handler that loops or waits synchronously';
      report(`${worker.name} is killed and replaced: ${why}; ${cause}`);
      worker.kill();
    }
  };
  let cancel: Cancel = () => {};
  const wait = (): void => {
    const lateFromMs = ports.now() + everyMs * (1 + LATE_MAX);
    cancel = ports.after(everyMs, () => {
      const isLate = ports.now() > lateFromMs;
      // Responses that have arrived count, whenever this process receives them.
      cancel = ports.afterEvents(() => {
        wait();
        check(isLate);
      });
    });
  };
  wait();
  return () => cancel();
}
