// Flags of wrk, autocannon, oha, hey and k6: those with the same meaning are accepted, for others a
// problem says what to use instead.

/** Flags of other programs, with the long name of the flag here. */
const SAME: Readonly<Record<string, string>> = {
  '--amount': 'requests',
  '-a': 'requests',
  '-z': 'duration',
  '--overallRate': 'rate',
  '--qps': 'rate',
  '--expectBody': 'expect-body',
  '-E': 'expect-body',
  '--socketPath': 'socket',
  '-S': 'socket',
  '--unix-socket': 'socket',
  '--disable-keepalive': 'no-keep-alive',
  '--workers': 'threads',
  '-w': 'threads',
  '--latency': 'latency',
  '-L': 'latency',
  '-l': 'latency',
};

const AUTHORIZATION = "use -H 'Authorization: Basic ...'";
const PROGRAM = 'scripts are not supported; use several URLs, or the export vibing/load';
const BODY_FILE = 'use --input FILE for a body from a file';
const WARM_UP = 'use --warm-up TIME';
const REQUESTS = 'use --requests N';

/** Flags of other programs that are not accepted, with what to use instead. */
const INSTEAD: Readonly<Record<string, string>> = {
  '-s': PROGRAM,
  '--script': PROGRAM,
  '-q': 'use --rate for the requests a second of all connections together',
  '-r': 'connections are opened at once; use --rate for requests a second',
  '--connectionRate': 'use --rate for the requests a second of all connections together',
  '-T': "use --timeout TIME for a timeout, -H 'Content-Type: ...' for a type",
  '-A': "use -H 'Accept: ...'",
  '-D': BODY_FILE,
  '--maxOverallRequests': REQUESTS,
  '--iterations': REQUESTS,
  '-W': WARM_UP,
  '--warmup': WARM_UP,
  '-j': 'use --json - to print the report as JSON',
  '--renderStatusCodes': 'statuses are always printed',
  '-u': AUTHORIZATION,
  '--user': AUTHORIZATION,
  '--vus': 'use --connections',
  '-k': 'TLS is not supported',
  '--insecure': 'TLS is not supported',
  '--http2': 'only HTTP/1.1 is supported',
  '-V': 'use vibing --version',
};

/** The long name here of a flag of another program, or undefined. */
export function sameFlag(flag: string): string | undefined {
  return SAME[flag];
}

/** What to use instead of a flag of another program, or undefined. */
export function insteadOf(flag: string): string | undefined {
  return INSTEAD[flag];
}
