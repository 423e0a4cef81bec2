// What wrk, autocannon, oha, hey and k6 call things: names that mean the same are taken, others get
// a word about what to say here.

/** Flags of others by the long name of the one that they mean here. */
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

const AUTHORIZATION = "-H 'Authorization: Basic ...' says who asks";
const PROGRAM = 'there are no scripts; several URLs, or the export vibing/load, do most of it';
const BODY_FILE = '--input FILE takes the body from a file';
const WARM_UP = '--warm-up TIME runs before anything counts';
const REQUESTS = '--requests N ends after so many requests';

/** Flags of others that have no like here, or one that is said otherwise. */
const OTHERWISE: Readonly<Record<string, string>> = {
  '-s': PROGRAM,
  '--script': PROGRAM,
  '-q': 'requests a second of all connections together are --rate',
  '-r': 'connections begin all at once; requests a second are --rate',
  '--connectionRate': 'requests a second of all connections together are --rate',
  '-T': '--timeout TIME is for an answer or a connection; a type is a field, -H',
  '-A': "-H 'Accept: ...' says it",
  '-D': BODY_FILE,
  '--maxOverallRequests': REQUESTS,
  '--iterations': REQUESTS,
  '-W': WARM_UP,
  '--warmup': WARM_UP,
  '-j': '--json - prints all figures as JSON',
  '--renderStatusCodes': 'statuses are always counted',
  '-u': AUTHORIZATION,
  '--user': AUTHORIZATION,
  '--vus': 'users are --connections here',
  '-k': 'TLS is not supported',
  '--insecure': 'TLS is not supported',
  '--http2': 'only HTTP/1.1 is spoken',
  '-V': '"vibing --version" prints the version',
};

/** The long name that is meant by a flag of others, or undefined. */
export function sameFlag(flag: string): string | undefined {
  return SAME[flag];
}

/** What to say here instead of a flag of others, or undefined. */
export function otherwise(flag: string): string | undefined {
  return OTHERWISE[flag];
}
