// Limits that no configuration changes, each with its reason. Those that can be set are in
// limits.ts.

/**
 * The head of a part of a form: RFC 7578 knows three fields, and a file's name has hardly more than
 * 255 characters, each of nine bytes at most.
 */
export const FORM_HEAD_BYTES_MAX = 4_096;
export const FORM_HEAD_FIELDS_MAX = 16;

/** RFC 2046 5.1.1. */
export const FORM_BOUNDARY_BYTES_MAX = 70;

/**
 * A PROXY header of version 2 with the data that proxies add to it, such as the certificate of a
 * client; without, it has 232 bytes at most.
 */
export const PROXY_HEADER_BYTES_MAX = 4_096;

/** Fields that a handler sets on one response: setting one searches those before it. */
export const RESPONSE_FIELDS_MAX = 1_000;

/** Names and values of these fields together: far above what clients accept (256 KiB is much). */
export const RESPONSE_FIELD_BYTES_MAX: number = 1024 * 1024;

/**
 * V8's young generation is two spaces of this size, in a process that serves. Objects of a request
 * take some 76 bytes: 7 collections of 0.2 to 0.5 ms in a million requests. With 8 MiB there are 9;
 * with 16 MiB there are 5, and the process takes 12 MiB more memory.
 */
export const SEMI_SPACE_BYTES: number = 10 * 1024 * 1024;

/**
 * V8 collects the old generation of a worker only from this size on. V8 counts memory outside of
 * its heap, too, such as the bytes of bodies: with its own limit every second collection of a
 * server that receives bodies of 10 KB is a full one, of 1 to 4 ms instead of 0.5.
 */
export const OLD_SPACE_BYTES: number = 64 * 1024 * 1024;

/** With less memory for each process V8's own, smaller sizes are kept. */
export const PROCESS_BYTES_MIN: number = 512 * 1024 * 1024;

/** The most completions of a turn: enough to share its costs, few enough to stay in cache. */
export const COMPLETIONS_PER_TURN = 256;

/** Further polls of a turn before deadlines expire, each of up to COMPLETIONS_PER_TURN. */
export const LATE_POLLS_MAX = 16;

/** The most clients accepted in one turn, so that open connections are not delayed. */
export const ACCEPTS_PER_TURN = 64;

/**
 * Slots beyond connectionsMax, for overload responses. Each is used until the client has closed or
 * lingerTimeoutMs has passed, and further clients wait for one meanwhile.
 */
export const OVERLOAD_SLOTS = 16;

/** The Retry-After of an overload response. */
export const RETRY_AFTER_SECONDS = 1;

/** The longest log entry; the rest is dropped, as of an error that contains a document. */
export const LOG_ENTRY_CHARACTERS_MAX = 65_536;

/** As much of a request line that is not valid is in the access log. */
export const REFUSED_LINE_BYTES_MAX = 256;

/**
 * Text that waits for the reader of standard output, or of standard error; lines beyond it are
 * dropped. It is what a busy server logs in 200 ms, for which a disk or a core may be busy.
 */
export const LOG_WAITING_CHARACTERS_MAX = 4_194_304;

/** How long a server that closes, or a process that ends, waits for the reader of its log. */
export const LOG_FLUSH_MS = 500;

/**
 * How often the server checks within writeTimeoutMs whether a client takes more of its response.
 * The last progress may be one check old, so a client is reset up to a quarter late, never early.
 */
export const WRITE_CHECKS = 4;

/** How often the server checks within lingerTimeoutMs whether the last response has arrived. */
export const LINGER_CHECKS = 4;

/**
 * How long a closing server waits for the rest of a head, unless head_timeout_ms is shorter: a few
 * of the longest round trips. Then its client gets 408, and may repeat the request elsewhere.
 */
export const DRAIN_HEAD_MS = 1_000;

/** The interval at which the net driver probes connections from which nothing is read. */
export const WATCH_PROBE_MS = 500;

/**
 * The silence after which the kernel sends a client a probe. So a host that vanished, and a client
 * that closed its connection in order, are noticed within two minutes, also while nothing is sent.
 * The system of a client that ended only its own side responds to the probe, and it stays.
 */
export const KEEP_ALIVE_PROBE_SECONDS = 60;

/**
 * How long the net driver accepts the clients in the kernel's queue when it stops listening: Node
 * accepts one in each round of its loop, and thousands may wait. A guess.
 */
export const ACCEPT_REST_MS_MAX = 2_000;

/** The pause of accept() after it failed because of descriptors or memory. */
export const ACCEPT_RETRY_MS = 250;

/**
 * The first late calls of a request resolve after one iteration of the event loop. Later ones take
 * longer and longer, up to LATE_PAUSE_MS_MAX, so that a loop that misses the end of its response
 * costs little.
 */
export const LATE_CALLS_AT_ONCE = 100;
export const LATE_PAUSE_MS_MAX = 1000;

/** The same for calls on a handle whose request has ended. */
export const LATE_PAUSE_MS = 1;

/** The log reports late calls once a request, and at most one in this time beyond that. */
export const LATE_NOTE_MS = 1000;

/** How often the log says that files are 503, as the process has no free descriptor or memory. */
export const SHORTAGE_NOTE_MS = 10_000;

/**
 * When the log says that a handler has returned neither a response nor a promise: longer than most
 * callbacks take, and far shorter than handler_timeout_ms.
 */
export const NO_RESPONSE_NOTE_MS = 1_000;

/**
 * What may wait for one client whose handler calls write() without awaiting it, or
 * send_queue_bytes_max where that is more. A guess: far more than a handler writes in one step, and
 * too little to fill the memory by one client.
 */
export const WRITE_QUEUE_BYTES_MAX: number = 16 * 1024 * 1024;

/** Writes in a row without waiting, before one waits an iteration of the event loop. A guess. */
export const QUICK_WRITES_MAX = 256;

/**
 * The parts of a response to a Range: each costs a head of some 150 bytes and, from a file, a read.
 * Programs that view documents ask for some ten. A Range with more parts is ignored.
 */
export const RANGE_PARTS_MAX = 64;

/**
 * Paths without a file that a site remembers, and the characters of their texts: those of a busy
 * API behind the files, in half a megabyte.
 */
export const MISSING_PATHS_MAX = 2_000;
export const MISSING_PATHS_BYTES_MAX: number = 512 * 1024;

/**
 * Entries of one directory that a listing sorts: it keeps their names, some 100 bytes each, until
 * it ends. Those of a larger directory are sent as they are read.
 */
export const LISTING_SORTED_MAX = 200_000;

/** Entries that all listings of a site keep together; further listings are not sorted. */
export const LISTING_KEPT_MAX = 400_000;

/** How much of a README a listing shows; a longer one is truncated. */
export const LISTING_README_BYTES_MAX = 65_536;

/**
 * Levels of arrays and objects in a body of JSON (400): code that reads a value calls itself for
 * each, and formats of programs have some ten.
 */
export const JSON_DEPTH_MAX = 128;

/** What a problem of validation lists at most, and the characters of each of its texts. */
export const PROBLEM_ERRORS_MAX = 100;
export const PROBLEM_DETAIL_CHARACTERS_MAX = 500;

/**
 * Cookies of a request that are read; further ones are ignored. Browsers send fewer than 200 for a
 * domain.
 */
export const COOKIES_MAX = 256;

/** What browsers accept of a cookie (RFC 6265bis 5.6): name and value together, an attribute. */
export const COOKIE_BYTES_MAX = 4096;
export const COOKIE_ATTRIBUTE_BYTES_MAX = 1024;

/** The shortest key of signedCookies(): a shorter one can be guessed. */
export const SIGNING_KEY_BYTES_MIN = 16;

/** The longest file name that req.parts() returns: what file systems allow. */
export const FILE_NAME_BYTES_MAX = 255;

/**
 * What may wait for one client of events(), unless its handler says otherwise: some thousand events
 * of an application, or send_queue_bytes_max where that is more.
 */
export const EVENT_QUEUE_BYTES_MAX: number = 1024 * 1024;
/** Silence of events() until a comment is sent: a guess, below the time-outs of common proxies. */
export const EVENT_HEARTBEAT_MS = 15_000;
/** Metrics in the Server-Timing field of one response: a guess, more than a browser shows well. */
export const SERVER_TIMINGS_MAX = 64;

/**
 * Content up to this size is compressed at once, at a low level. Measured for JSON: 70 to 120
 * microseconds, twice as much on a slow machine; a task of the thread pool costs 100 to 300.
 */
export const COMPRESS_NOW_BYTES_MAX = 16_384;

/** Responses that compress() compresses at a time, unless its option says otherwise. */
export const COMPRESSIONS_MAX = 64;

/**
 * Memory of the encoders of all compress() of a process: an encoder has 0.5 MB to 95 MB, by its
 * coding and level, as long as its response is open.
 */
export const ENCODER_BYTES_MAX = 256_000_000;

/**
 * The memory for the metrics of one process, which is used page by page. Half of it is for series:
 * some 12,000 pairs of route and method whose values are alike, 3,300 whose values differ much.
 * What does not fit is counted in the series of overflow.
 */
export const METRICS_BYTES_MAX: number = 32 * 1024 * 1024;

/** Series of one process: a histogram of requests has three for each route, method and class. */
export const METRICS_SERIES_MAX = 65_536;

/** Routes, methods and classes of status together; further ones are counted as one. */
export const METRICS_ROUTES_MAX = 12_000;

/** Metrics of the program: families, and the series and labels of each. */
export const OWN_METRICS_MAX = 500;
export const OWN_SERIES_MAX = 1_000;
/** Series of all of them together, with those that earlier processes have added. */
export const OWN_SERIES_TOTAL_MAX = 20_000;
export const OWN_LABELS_MAX = 10;

/** The longest value of a label; the rest is dropped. */
export const LABEL_CHARACTERS_MAX = 200;

/** Clients of /metrics that are served at a time, and those that get a snapshot each second. */
export const METRICS_SCRAPES_MAX = 4;
export const METRICS_STREAMS_MAX = 8;

/**
 * Clients of /metrics that have not read what was sent them are not among those: with one more than
 * so many the first of them is cut off.
 */
export const METRICS_STALLED_MAX = 8;

/** A client of a stream that has missed so many snapshots loses its place. */
export const METRICS_MISSED_MAX = 10;

/**
 * With more histograms than this, a process composes metrics in a thread of its own. Of those of a
 * route, method and class of status there are three; fewer are composed within some milliseconds.
 */
export const METRICS_THREAD_HISTOGRAMS = 256;

/** The thread ends when no client has needed it for so long. */
export const METRICS_THREAD_IDLE_MS = 300_000;

/** The JavaScript heap of the thread: the names of 65,536 series take a fifth of it. */
export const METRICS_THREAD_HEAP_MB = 512;

/**
 * A chunk of a response that the thread composes; each response has two in turn. Each chunk takes
 * some 70 microseconds of the reactor beside what the kernel does. Compressed responses are small.
 */
export const METRICS_CHUNK_BYTES: number = 2 * 1024 * 1024;
export const METRICS_GZIP_CHUNK_BYTES: number = 512 * 1024;

/**
 * Responses of which no more bytes wait are counted as they end: the kernel takes so many at once,
 * unless the client does not read. Others are counted when the kernel has taken all.
 */
export const METRICS_AT_ONCE_BYTES = 65_536;

/** How often a process samples its memory, CPU time and descriptors, and a stream gets an event. */
export const METRICS_SAMPLE_MS = 1_000;

/** Without shared memory: how often a worker writes its metrics where the others read them. */
export const METRICS_PUBLISH_MS = 250;

/** How long a response to /metrics is composed before requests get their turn. */
export const METRICS_SLICE_MS = 2;
