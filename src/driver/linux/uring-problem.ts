// Whether io_uring can be used here, found out by making a small ring.

import { ERRNO } from '../../base/errno.ts';
import { Slab } from '../../base/slab.ts';
import { IoUring } from './uring-instance.ts';
import { ProvidedBuffers } from './uring-buffers.ts';
import { linuxUringCalls, type UringCalls } from './uring-calls.ts';

/** Null when the uring driver can run here, else one line that says why not. */
export function uringProblem(calls: UringCalls | string = linuxUringCalls()): string | null {
  if (typeof calls === 'string') return calls;
  try {
    const ring = new IoUring(calls, 8, 16);
    const problem = buffersProblem(calls, ring);
    ring.destroy();
    return problem;
  } catch (error) {
    return reasonOf(error);
  }
}

function buffersProblem(calls: UringCalls, ring: IoUring): string | null {
  try {
    new ProvidedBuffers(calls, ring.fd, 1, new Slab(64, 1), 1).destroy();
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** For people. */
function reasonOf(error: unknown): string {
  const { errno, message } = error as Error & { errno?: number };
  switch (errno) {
    case ERRNO.EPERM:
    case ERRNO.EACCES:
      return 'io_uring is forbidden here (kernel.io_uring_disabled, or a seccomp profile)';
    case ERRNO.ENOSYS:
      return 'this kernel has no io_uring';
    case ERRNO.EINVAL:
      return 'this kernel is older than Linux 6.1';
    case ERRNO.ENOMEM:
      return 'there is no memory for a ring (RLIMIT_MEMLOCK)';
    default:
      return message;
  }
}
