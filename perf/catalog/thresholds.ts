// What the gate measures and the bars it holds the server to. docs/performance.md says why.

export const CONNECTIONS = 64;
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** Requests a second of `hello`, where the machine can carry that. */
export const RATE_TARGET = 100_000;
/** A window counts for it when the floor beside it gives this, which is 1.1 times as much. */
export const RATE_FLOOR = 110_000;
/** P99 of a static kilobyte at a fixed rate, where the machine can keep it. */
export const P99_TARGET_MS = 1;
export const LATENCY_RATE = 30_000;
/** A window counts for it when the P99 of the floor beside it is no more than this. */
export const P99_FLOOR_MS = 0.5;
/** Fewer counted windows than this judge nothing. */
export const COUNTED_MIN = 5;

/** Where latency windows do not count: P99 to that of the floor. */
export const P99_RATIO_BAR = 1.5;
/** A turn that holds everybody up for longer than this, milliseconds. */
export const TURN_MS = 2;
/** How many of them more than the floor's, a second. */
export const TURNS_BAR = 0.2;
/** What is added to that at most, half of what the floor has, where no window is a quiet one. */
export const TURNS_NOISE_MAX = 0.4;
/** So few requests a second that a turn is long only if something held it up. */
export const TURNS_RATE = 2_000;
/** The least length of a window for it: one pause in it is no more than the bar. */
export const TURNS_SECONDS_MIN = 5;
/** A floor that is late, or pauses, more often than this, a second, is on a machine with others. */
export const TURNS_QUIET = 0.5;
/** One collection of garbage, in counted windows. */
export const GC_PAUSE_MS_BAR = 1;
/** A leak of a kilobyte a request is far above, what V8 keeps of a run far below. */
export const HEAP_BYTES_BAR = 64;
export const RESIDENT_BYTES_BAR: number = 120 * 1024 * 1024;
/** A window in which others had so much of a core says little of the server. */
export const DISTURBED = 0.05;
/** From here on the load is what limits a window, and hides what the server could do. */
export const LOAD_BOUND = 0.97;

export type ScenarioName = 'hello' | 'static-1k' | 'pipelined-16' | 'browser-headers';

export interface Scenario {
  readonly name: ScenarioName;
  readonly path: string;
  readonly depth: number;
  readonly headers: readonly (readonly [string, string])[];
  /** What the floor answers. */
  readonly response: 'hello' | '1024';
  /** The least median ratio to the floor. */
  readonly bar: number;
}

/** What a browser sends with a page it loads, some 600 bytes. */
const BROWSER: readonly (readonly [string, string])[] = [
  [
    'User-Agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36',
  ],
  [
    'Accept',
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  ],
  ['Accept-Encoding', 'gzip, deflate, br, zstd'],
  ['Accept-Language', 'en-GB,en;q=0.9,de;q=0.8'],
  ['Cache-Control', 'max-age=0'],
  ['Cookie', 'session=5f4dcc3b5aa765d61d8327deb882cf99; theme=dark; consent=yes'],
  ['Referer', 'http://127.0.0.1/from/another/page.html'],
  ['Sec-Fetch-Dest', 'document'],
  ['Sec-Fetch-Mode', 'navigate'],
  ['Sec-Fetch-Site', 'same-origin'],
  ['Sec-Fetch-User', '?1'],
  ['Upgrade-Insecure-Requests', '1'],
];

export const SCENARIOS: readonly Scenario[] = [
  { name: 'hello', path: '/', depth: 1, headers: [], response: 'hello', bar: 0.9 },
  { name: 'static-1k', path: '/file-1k.txt', depth: 1, headers: [], response: '1024', bar: 0.9 },
  { name: 'pipelined-16', path: '/', depth: 16, headers: [], response: 'hello', bar: 0.55 },
  { name: 'browser-headers', path: '/', depth: 1, headers: BROWSER, response: 'hello', bar: 0.85 },
];

/** Its floor and path are those of the second scenario. */
export const LATENCY_SCENARIO: Scenario = SCENARIOS[1];
