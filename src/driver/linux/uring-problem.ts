// Whether io_uring can be used here, tested by setting up a small ring.

import { ERRNO } from '../../base/errno.ts';
import { Slab } from '../../base/slab.ts';
import { errnoOf } from './call-fault.ts';
import { ProvidedBuffers } from './uring-buffers.ts';
import { linuxUringCalls, type UringCalls } from './uring-calls.ts';
import { IoUring } from './uring-instance.ts';

/** Null when the uring driver can run here, else the reason and a remedy, in one line. */
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

const FORBIDDEN =
  'io_uring is forbidden (set kernel.io_uring_disabled to 0, or allow it in the seccomp profile)';

/** The reason in words, and what to do. */
function reasonOf(error: unknown): string {
  switch (errnoOf(error)) {
    case ERRNO.EPERM:
    case ERRNO.EACCES:
      return FORBIDDEN;
    case ERRNO.ENOSYS:
      return 'this kernel has no io_uring (use Linux 6.1 or newer)';
    case ERRNO.EINVAL:
      return 'this kernel is older than Linux 6.1, which the driver uring needs';
    case ERRNO.ENOMEM:
      return 'there is no memory for a ring (raise RLIMIT_MEMLOCK)';
    default:
      return (error as Error).message;
  }
}
