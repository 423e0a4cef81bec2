// Numbers of the kernel's io_uring interface (<linux/io_uring.h>); the same on every architecture.

// io_uring_setup(2): struct io_uring_params, in 32-bit words.
export const PARAMS_WORDS = 30;
export const PARAM_SQ_ENTRIES = 0;
export const PARAM_CQ_ENTRIES = 1;
export const PARAM_FLAGS = 2;
export const PARAM_FEATURES = 5;
export const PARAM_SQ_OFFSETS = 10;
export const PARAM_CQ_OFFSETS = 20;
export const SETUP_CQSIZE: number = 1 << 3;
/** One bad entry does not keep those after it from being submitted (5.18). */
export const SETUP_SUBMIT_ALL: number = 1 << 7;
/** A flag of the submission ring says that completions are due (5.19). */
export const SETUP_TASKRUN_FLAG: number = 1 << 9;
/** Only the thread that set up the ring uses it (6.0). */
export const SETUP_SINGLE_ISSUER: number = 1 << 12;
/** The kernel writes completions when the ring is entered, and at no other time (6.1). */
export const SETUP_DEFER_TASKRUN: number = 1 << 13;
/** No completion is dropped when the completion queue is full. */
export const FEATURE_NODROP: number = 1 << 1;

/** 2 ** 32: one in the upper word of an address or a tag. */
export const HIGH = 4294967296;

// Offsets for mmap(2).
export const OFFSET_RINGS = 0;
export const OFFSET_ENTRIES = 0x10000000;

// Fields of struct io_sqring_offsets and io_cqring_offsets, in words.
export const SQ_TAIL = 1;
export const SQ_MASK = 2;
export const SQ_FLAGS = 4;
export const SQ_ARRAY = 6;
export const CQ_HEAD = 0;
export const CQ_TAIL = 1;
export const CQ_MASK = 2;
export const CQ_ENTRIES_AT = 5;
export const CQ_FLAGS = 6;

// Flags in the memory of the rings.
export const SQ_CQ_OVERFLOW: number = 1 << 1;
export const SQ_TASKRUN: number = 1 << 2;
export const CQ_EVENTFD_DISABLED = 1;

export const SQE_BYTES = 64;
export const SQE_WORDS = 16;
export const CQE_BYTES = 16;
export const CQE_WORDS = 4;

export const ENTER_GETEVENTS = 1;

// io_uring_register(2)
export const REGISTER_EVENTFD = 4;
export const REGISTER_PBUF_RING = 22;

// Operations and their flags.
export const IORING_OP_POLL_ADD = 6;
export const IORING_OP_ASYNC_CANCEL = 14;
export const IORING_OP_CONNECT = 16;
export const IORING_OP_SEND = 26;
export const IORING_OP_RECV = 27;
export const IOSQE_BUFFER_SELECT: number = 1 << 5;
export const IOSQE_CQE_SKIP_SUCCESS: number = 1 << 6;
/** A receive waits for readiness before it tries (5.19). */
export const RECV_POLL_FIRST = 1;
export const POLLIN = 1;
export const POLLOUT = 0x4;
export const POLLRDHUP = 0x2000;

// Flags of a completion; the number of its buffer is in the upper half.
export const CQE_F_BUFFER = 1;
export const CQE_F_SOCK_NONEMPTY: number = 1 << 2;
export const CQE_BUFFER_SHIFT = 16;

/** struct io_uring_buf, in words: address low, address high, length, number. */
export const BUFFER_WORDS = 4;
export const BUFFER_BYTES = 16;
/** The offset of the buffer ring's tail, in 16-bit words. */
export const BUFFER_TAIL = 7;
