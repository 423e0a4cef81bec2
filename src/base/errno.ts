// Node names an error by a word that is the same everywhere; the two ports speak Linux numbers.
// This turns one into the other on every platform; os.constants would give the platform's own.

const EINVAL = 22;
const EPIPE = 32;

const BY_CODE: Readonly<Record<string, number>> = {
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
  EINVAL,
  ENFILE: 23,
  EMFILE: 24,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EPIPE,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  EPROTO: 71,
  EOVERFLOW: 75,
  EILSEQ: 84,
  ENOTSOCK: 88,
  EMSGSIZE: 90,
  EPROTONOSUPPORT: 93,
  EOPNOTSUPP: 95,
  ENOTSUP: 95,
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
  ECANCELED: 125,
  // What Node itself refuses before the kernel is asked.
  ERR_INVALID_ARG_VALUE: EINVAL,
  ERR_INVALID_ARG_TYPE: EINVAL,
  ERR_OUT_OF_RANGE: EINVAL,
  ERR_SOCKET_BAD_PORT: EINVAL,
  ERR_INVALID_FD_TYPE: EINVAL,
  ERR_STREAM_DESTROYED: EPIPE,
  ERR_STREAM_WRITE_AFTER_END: EPIPE,
};

/** Minus the Linux number of an error's code; minus `otherwise` when the code is unknown. */
export function faultOf(error: unknown, otherwise: number): number {
  if (typeof error !== 'object' || error === null) return -otherwise;
  const code = (error as { readonly code?: unknown }).code;
  if (typeof code !== 'string') return -otherwise;
  return -(BY_CODE[code] ?? otherwise);
}
