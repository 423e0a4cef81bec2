// All injected bugs of the edges: drivers, reactor, responses, static files, the primary, the load,
// middleware, the server, requests, metrics, logs, viewers, commands.
// Those of the order of events within a connection are in harness/mutants/.

import type { Bug } from './bug.ts';
import { CLIENT_BUGS } from './client-bugs.ts';
import { CLUSTER_BUGS } from './cluster-bugs.ts';
import { DRIVER_BUGS } from './driver-bugs.ts';
import { EXCHANGE_BUGS } from './exchange-bugs.ts';
import { METRICS_BUGS } from './metrics-bugs.ts';
import { MIDDLEWARE_BUGS } from './middleware-bugs.ts';
import { REACTOR_BUGS } from './reactor-bugs.ts';
import { SERVER_BUGS } from './server-bugs.ts';
import { SERVICE_BUGS } from './service-bugs.ts';
import { STATIC_BUGS } from './static-bugs.ts';

export const BUGS: readonly Bug[] = [
  ...DRIVER_BUGS,
  ...REACTOR_BUGS,
  ...STATIC_BUGS,
  ...CLUSTER_BUGS,
  ...METRICS_BUGS,
  ...MIDDLEWARE_BUGS,
  ...SERVER_BUGS,
  ...EXCHANGE_BUGS,
  ...SERVICE_BUGS,
  ...CLIENT_BUGS,
];
