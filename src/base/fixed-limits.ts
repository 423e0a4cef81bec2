// Limits that no configuration changes, each with its reason. What can be set is in limits.ts.

/**
 * The head of a part of a form: RFC 7578 knows three fields, and a file's name has hardly more than
 * 255 characters, each of nine bytes at most.
 */
export const FORM_HEAD_BYTES_MAX = 4_096;
export const FORM_HEAD_FIELDS_MAX = 16;

/** RFC 2046 5.1.1. */
export const FORM_BOUNDARY_BYTES_MAX = 70;

/** Fields that a handler sets for one answer: setting one looks through those before it. */
export const RESPONSE_FIELDS_MAX = 1_000;

/** Names and values of these fields together: far above what clients take (256 KiB is much). */
export const RESPONSE_FIELD_BYTES_MAX: number = 1024 * 1024;

/**
 * V8's young generation is two spaces of this size, in a process that serves. Objects of a request
 * take some 150 bytes: 9 collections of 0.2 to 0.5 ms in a million requests. With 8 MiB there are
 * 20; with 32 MiB there are 5 of 0.65 ms, and the process takes 26 MiB more memory.
 */
export const SEMI_SPACE_BYTES: number = 16 * 1024 * 1024;

/** Memory for each process below which V8's own, smaller sizes stand. */
export const PROCESS_BYTES_MIN: number = 512 * 1024 * 1024;

/** Most completions one turn handles: enough to spread its costs, few enough to stay in cache. */
export const COMPLETIONS_PER_TURN = 256;

/** Most clients taken from the kernel's queue in one turn, so that those inside are not held up. */
export const ACCEPTS_PER_TURN = 64;

/**
 * Slots beyond connectionsMax, for telling clients that there is no room. Each is taken until the
 * client has closed or lingerTimeoutMs is over, and further clients wait for one meanwhile.
 */
export const OVERLOAD_SLOTS = 16;

/** What clients that are turned away are told, as Retry-After. */
export const RETRY_AFTER_SECONDS = 1;

/** Longest entry of a log, as of an error that holds a whole document; the rest is cut. */
export const LOG_ENTRY_CHARACTERS_MAX = 65_536;

/**
 * Text that waits for the reader of standard output, or of standard error; lines beyond it are
 * dropped. Why so much: what a busy server logs in 200 ms, for which a disk or a core may be taken.
 */
export const LOG_WAITING_CHARACTERS_MAX = 4_194_304;

/** How long a server that closes, or a process that ends, waits for the reader of its log. */
export const LOG_FLUSH_MS = 500;

/**
 * How often the server looks within writeTimeoutMs whether a client takes more of its response. The
 * last progress may be as old as one look, so a client is reset up to a quarter late, never early.
 */
export const WRITE_LOOKS = 4;

/** How often the server looks within lingerTimeoutMs whether the last response has arrived. */
export const LINGER_LOOKS = 4;

/** How often the net driver asks whether a client is still there from which nothing is read. */
export const WATCH_PROBE_MS = 500;

/** How long accept() rests after it failed for want of descriptors or memory. */
export const ACCEPT_RETRY_MS = 250;

/**
 * Calls of a request that come too late are free up to this many. Those beyond take ever longer, up
 * to LATE_PAUSE_MS_MAX, so that a loop that does not see the end of its response costs nothing.
 */
export const LATE_CALLS_AT_ONCE = 100;
export const LATE_PAUSE_MS_MAX = 1000;

/** The same for calls on a handle whose request is over. */
export const LATE_PAUSE_MS = 1;

/** The log tells of late calls of one request once, and beyond that so seldom. */
export const LATE_NOTE_MS = 1000;

/** Writes in a row that need not wait, before one waits for a turn of the event loop. A guess. */
export const QUICK_WRITES_MAX = 256;
