// The one table of error numbers. Drivers and asynchronous I/O report Linux numbers on every
// system; os.constants would hold the numbers of the system that this runs on.

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EPIPE: 32,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EPROTO: 71,
  EOVERFLOW: 75,
  EILSEQ: 84,
  ENOTSOCK: 88,
  EMSGSIZE: 90,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
  EDQUOT: 122,
  ECANCELED: 125,
} as const;

/** The name of a number, or 'errno 7' for a number that is not in the table. */
export function errnoName(errno: number): string {
  for (const [name, number] of Object.entries(ERRNO)) if (number === errno) return name;
  return `errno ${errno}`;
}

/** Codes of Node's errors that are no names of Linux. */
const OTHER_CODES: Readonly<Record<string, number>> = {
  ENOTSUP: ERRNO.EOPNOTSUPP,
  // Node rejects these before it calls the kernel.
  ERR_INVALID_ARG_VALUE: ERRNO.EINVAL,
  ERR_INVALID_ARG_TYPE: ERRNO.EINVAL,
  ERR_OUT_OF_RANGE: ERRNO.EINVAL,
  ERR_SOCKET_BAD_PORT: ERRNO.EINVAL,
  ERR_INVALID_FD_TYPE: ERRNO.EINVAL,
  ERR_STREAM_DESTROYED: ERRNO.EPIPE,
  ERR_STREAM_WRITE_AFTER_END: ERRNO.EPIPE,
};

const BY_CODE: Readonly<Record<string, number>> = { ...ERRNO, ...OTHER_CODES };

/** Minus the Linux number of an error's code; minus `otherwise` when the code is unknown. */
export function faultOf(error: unknown, otherwise: number): number {
  if (typeof error !== 'object' || error === null) return -otherwise;
  const code = (error as { readonly code?: unknown }).code;
  if (typeof code !== 'string') return -otherwise;
  return -(BY_CODE[code] ?? otherwise);
}
