// The families of metrics that a server has by itself: those of HTTP by the conventions of names of
// OpenTelemetry; those of the process by the names that the libraries of Prometheus use; the others
// as vibing_*.

import { boundsFrom, type Family } from './family.ts';

/** 50 microseconds to 13 seconds. */
const SECONDS_BASE = 0.00005;
const SECONDS_BOUNDS: readonly number[] = boundsFrom(SECONDS_BASE, 2, 19);

/** 64 bytes to 1 GiB. */
const BYTES_BASE = 64;
const BYTES_BOUNDS: readonly number[] = boundsFrom(BYTES_BASE, 8, 9);

interface Scale {
  readonly base: number;
  readonly bounds: readonly number[];
}

export const SECONDS: Scale = { base: SECONDS_BASE, bounds: SECONDS_BOUNDS };
export const BYTES: Scale = { base: BYTES_BASE, bounds: BYTES_BOUNDS };
export const COUNTS: Scale = { base: 8, bounds: boundsFrom(1, 2, 9) };

/** The labels of the families that have series for each route. */
export const ROUTE_LABELS: readonly string[] = [
  'http_route',
  'http_request_method',
  'http_response_status_class',
];

const DURATION = 'http_server_request_duration_seconds';
const FIRST_BYTE = 'http_server_time_to_first_byte_seconds';

function counter(name: string, help: string, labels: readonly string[] = []): Family {
  const unit = /_(seconds|bytes)_total$/.exec(name)?.[1] ?? '';
  return { name, type: 'counter', unit, help, labels };
}

function gauge(name: string, help: string, labels: readonly string[] = []): Family {
  const unit = /_(seconds|bytes)$/.exec(name)?.[1] ?? '';
  return { name, type: 'gauge', unit, help, labels };
}

function seconds(name: string, help: string, labels: readonly string[]): Family {
  return { name, type: 'histogram', unit: 'seconds', help, labels, ...SECONDS };
}

function bytes(name: string, help: string, labels: readonly string[]): Family {
  return { name, type: 'histogram', unit: 'bytes', help, labels, ...BYTES };
}

function perWorker(family: Family): Family {
  return { ...family, perWorker: true };
}

/** How the code names the families. */
export type FamilyName =
  | 'duration'
  | 'firstByte'
  | 'requestBytes'
  | 'responseBytes'
  | 'active'
  | 'requests'
  | 'aborted'
  | 'open'
  | 'accepted'
  | 'closed'
  | 'faults'
  | 'timeouts'
  | 'acceptFaults'
  | 'handlerErrors'
  | 'lateCalls'
  | 'received'
  | 'sent'
  | 'pipelined'
  | 'blocks'
  | 'turns'
  | 'completions'
  | 'cacheHits'
  | 'cacheMisses'
  | 'compressedFrom'
  | 'compressedTo'
  | 'limited'
  | 'logLinesDropped'
  | 'memoryFull'
  | 'gcPause'
  | 'loopUtilization'
  | 'heapUsed'
  | 'heapTotal'
  | 'external'
  | 'cpu'
  | 'resident'
  | 'openFds'
  | 'started';

/** The order is that of the output. */
export const FAMILIES: Readonly<Record<FamilyName, Family>> = {
  duration: seconds(
    DURATION,
    'Time from the head of a request to the end of its response, handed to the kernel.',
    ROUTE_LABELS,
  ),
  firstByte: seconds(
    FIRST_BYTE,
    'Time from the head of a request to the head of its response.',
    ROUTE_LABELS,
  ),
  requestBytes: bytes(
    'http_server_request_body_size_bytes',
    'Content of requests that had arrived when their responses ended.',
    ROUTE_LABELS,
  ),
  responseBytes: bytes(
    'http_server_response_body_size_bytes',
    'Content of responses, as it was sent.',
    ROUTE_LABELS,
  ),
  active: perWorker(gauge('http_server_active_requests', 'Requests without a complete response.')),
  requests: perWorker(
    counter(
      'vibing_worker_requests_total',
      'Requests that were handed to middleware and handlers.',
    ),
  ),
  aborted: counter(
    'vibing_requests_aborted_total',
    'Requests whose client left, or whose response was given up, before the response ended.',
  ),
  open: perWorker(gauge('vibing_connections_open', 'Connections that are open.')),
  accepted: perWorker(
    counter('vibing_connections_accepted_total', 'Connections that were accepted.'),
  ),
  closed: counter('vibing_connections_closed_total', 'Connections that were closed.', ['reason']),
  faults: counter(
    'vibing_faults_total',
    'Requests that were rejected, or whose body was invalid.',
    ['kind'],
  ),
  timeouts: counter('vibing_timeouts_total', 'Timeouts of connections and handlers.', ['kind']),
  acceptFaults: counter('vibing_accept_failures_total', 'Failures of accept().'),
  handlerErrors: counter(
    'vibing_handler_errors_total',
    'Errors that handlers threw, except HttpError.',
  ),
  lateCalls: counter(
    'vibing_late_calls_total',
    'Calls of handlers without effect, because the response had ended.',
  ),
  received: perWorker(
    counter('vibing_received_bytes_total', 'Bytes that were received from clients.'),
  ),
  sent: perWorker(
    counter('vibing_sent_bytes_total', 'Bytes that the kernel has taken for clients.'),
  ),
  pipelined: perWorker(
    counter(
      'vibing_pipelined_requests_total',
      'Requests that had arrived before the response to the one before them ended.',
    ),
  ),
  blocks: perWorker(
    gauge('vibing_pool_blocks', 'Blocks of memory for receiving and sending.', ['state']),
  ),
  turns: perWorker({
    ...seconds(
      'vibing_turn_seconds',
      'Time of a turn with completions, in which handlers run, until the next one has polled.',
      [],
    ),
  }),
  completions: perWorker({
    name: 'vibing_turn_completions',
    type: 'histogram',
    unit: '',
    help: 'Completed operations of a turn of the reactor that had any.',
    labels: [],
    ...COUNTS,
  }),
  cacheHits: counter('vibing_static_cache_hits_total', 'Static files that were found in memory.'),
  cacheMisses: counter(
    'vibing_static_cache_misses_total',
    'Static files that were opened, because they were not in memory.',
  ),
  compressedFrom: counter(
    'vibing_compress_input_bytes_total',
    'Content that compress() compressed, before.',
  ),
  compressedTo: counter(
    'vibing_compress_output_bytes_total',
    'Content that compress() compressed, after.',
  ),
  limited: counter('vibing_rate_limited_requests_total', 'Requests that rateLimit() rejected.'),
  logLinesDropped: perWorker(
    counter('vibing_log_lines_dropped_total', 'Lines of logs that could not be written.'),
  ),
  memoryFull: perWorker(
    gauge(
      'vibing_metrics_full',
      '1 when the memory for metrics is full, so that new series count as one; else 0.',
    ),
  ),
  gcPause: perWorker(
    seconds('vibing_gc_pause_seconds', 'Pauses of the garbage collector.', ['kind']),
  ),
  loopUtilization: perWorker(
    gauge(
      'vibing_event_loop_utilization_ratio',
      "Share of the last second in which Node's event loop was busy.",
    ),
  ),
  heapUsed: perWorker(gauge('vibing_heap_used_bytes', "V8's heap that is in use.")),
  heapTotal: perWorker(gauge('vibing_heap_total_bytes', "V8's heap.")),
  external: perWorker(
    gauge('vibing_external_memory_bytes', 'Memory outside of the heap that V8 accounts for.'),
  ),
  cpu: perWorker(counter('process_cpu_seconds_total', 'CPU time, user and system.')),
  resident: perWorker(gauge('process_resident_memory_bytes', 'Resident memory.')),
  openFds: perWorker(gauge('process_open_fds', 'Open file descriptors.')),
  started: {
    ...perWorker(
      gauge('process_start_time_seconds', 'When the process started, in seconds since 1970.'),
    ),
    largest: true,
  },
};

/**
 * Full responses are counted once, for both times, which are the same; streamed ones have a series
 * for each time.
 */
export const FULL: Family = { ...FAMILIES.duration, partOf: [DURATION, FIRST_BYTE] };

/** The value of http_request_method for methods that HTTP does not define. */
export const OTHER_METHOD = '_OTHER';

/** The value of each label of the series that counts what has no series of its own. */
export const OVERFLOW = '_OVERFLOW';
