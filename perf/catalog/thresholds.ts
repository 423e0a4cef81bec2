// Every threshold that a command of perf/ judges by. docs/performance.md explains them.

const KIB = 1024;
const MIB = 1024 * KIB;
const MB = 1_000_000;

/**
 * The least median ratio of the server's rate to the floor's, by scenario: perf:gate and perf:floor
 * judge by it. `net` is hello on the driver net, to bare node:net.
 */
export const FLOOR_RATIO_MIN = {
  hello: 0.9,
  'static-1k': 0.9,
  // 500,000/s where the floor reaches 850,000/s.
  'pipelined-16': 0.588,
  'browser-headers': 0.85,
  net: 0.85,
} as const;

/** When a window is worth less than it looks: gate, floor, perf and peers mark it alike. */

/** Other processes had this share of a core: the rate of the window says little. */
export const DISTURBED_SHARE = 0.05;
/** The load's core was this busy: the load may have been the limit, not the server. */
export const LOAD_BOUND_SHARE = 0.97;

/** perf:gate. */

/** Requests a second of hello, where the machine is fast enough. */
export const RATE_TARGET = 100_000;
/** A window counts for that target when its floor reaches this, 1.1 times as much. */
export const RATE_TARGET_FLOOR = 110_000;
/** P99 of a static kilobyte at LATENCY_RATE, where the machine is quiet enough. */
export const P99_TARGET_MS = 1;
export const LATENCY_RATE = 30_000;
/** A window counts for that target when the P99 of its floor is at most this. */
export const P99_TARGET_FLOOR_MS = 0.5;
/** With fewer counted windows a target is not judged. */
export const COUNTED_WINDOWS_MIN = 5;
/** The most by which P99 may exceed the floor's where windows do not count. */
export const P99_RATIO_MAX = 1.5;
/** A turn longer than this delays all other connections noticeably. */
export const TURN_MS = 2;
/** Such turns a second, beyond those of the floor. */
export const TURNS_MAX = 0.2;
/** Added to that at most, half of the floor's own, where no window is quiet. */
export const TURNS_NOISE_MAX = 0.4;
/** At so low a rate a turn is long only when something held it up. */
export const TURNS_RATE = 2_000;
/** The least length of a window of turns: one pause in it stays within TURNS_MAX. */
export const TURNS_SECONDS_MIN = 5;
/** A floor with more long turns a second than this shares its machine with other work. */
export const TURNS_QUIET = 0.5;
/** One garbage collection, in counted windows. */
export const GC_PAUSE_MS_MAX = 1;
/** A leak of a kilobyte a request is far above this, what V8 keeps of a run far below. */
export const HEAP_BYTES_PER_REQUEST_MAX = 64;
export const RESIDENT_BYTES_MAX: number = 120 * MIB;

/** perf:peers: the least ratio of one server's rate to another's, by scenario. */
export const PEER_RATIO_MIN = {
  hello: [
    ['uring', 'floor', 0.92],
    ['uring', 'epoll', 1.0],
    ['uring', 'nginx', 1.1],
    ['epoll', 'nginx', 1.0],
    ['uring', 'bun', 1.3],
    ['epoll', 'bun', 1.3],
  ],
  'json-middleware': [
    ['uring', 'floor', 0.85],
    ['uring', 'bun', 1.5],
  ],
  'post-json': [['uring', 'bun', 1.2]],
  'gzip-json': [
    ['uring', 'fastify', 1.2],
    ['uring', 'bun', 1.0],
  ],
} as const;

/** perf:fetch: the least ratio of hono on this server to hono on another, in hello. */
export const FETCH_RATIO_MIN = [
  ['node-server', 2],
  ['bun', 1],
] as const;

/** perf:idle and perf:slow: the rate with background load to the rate without. */
export const BACKGROUND_RATIO_MIN = 0.9;
/** perf:idle: resident memory of one idle connection. */
export const IDLE_CONNECTION_BYTES_MAX: number = 2 * KIB;

/** perf:quiet: share of a core and wake-ups a second with idle connections. */
export const IDLE_CORE_SHARE_MAX = 0.003;
export const IDLE_WAKE_UPS_MAX = 5;
/** perf:quiet: processor time for a request, to that of nginx. */
export const NGINX_CPU_RATIO_MAX = 1;

/** perf:load: our load generator's rate to that of wrk, on the floor. */
export const WRK_RATIO_MIN = 0.95;
/** perf:load: by how much the two may differ on a server that limits both. */
export const WRK_DIFFERENCE_MAX = 0.05;

/** perf:start: the first response after the start of a process, and a reload. */
export const START_MORE_MS_MAX = 120;
export const RELOADED_MS_MAX = 400;
/** perf:start: of a new worker at a moderate rate over new connections. */
export const FIRST_SECOND_P99_MS_MAX = 100;
/** perf:start: resident memory after full load. */
export const LOADED_RESIDENT_BYTES_MAX: number = 100 * MIB;

/** perf:garbage: scavenges in a million requests. */
export const SCAVENGES_MAX = 10;
/** perf:metrics: the speed with metrics to that without, by rate and by processor time. */
export const METRICS_RATIO_MIN = 0.98;
/** perf:metrics: routes, each with five methods. */
export const SCRAPE_ROUTES = 1_000;
/** perf:metrics: what a response with all of them takes of the reactor, with gzip and without. */
export const SCRAPE_MS_MAX = 10;
export const SCRAPE_PLAIN_MS_MAX = 25;
/** perf:echo: growth of resident memory during an echo of 100 MB. */
export const ECHO_GROWTH_BYTES_MAX: number = 50 * MB;
/**
 * perf:soak: growth after the first third of the time, in the heap and outside of it. What the
 * allocator of the C library keeps outside differs by 5 MB on a quiet machine and by 11 MB on a
 * busy one, whatever the traffic; 4 KB that are lost with each reset connection are 30 MB.
 */
export const SOAK_HEAP_BYTES_MAX: number = MB;
export const SOAK_OTHER_BYTES_MAX: number = 15 * MB;
/** perf:reload: until a new connection is served after a worker was killed. */
export const RECOVERY_MS_MAX = 1_000;

/** perf:compare: smaller changes of rates and processor time are not reported. */
export const CHANGE_MIN = 0.05;
/** The same of micro-benchmarks, which differ by where the compiler puts the code. */
export const MICRO_CHANGE_MIN = 0.1;

/** perf:hot: the share of the samples in src/ from which on a file is hot. */
export const HOT_SHARE_MIN = 0.005;
