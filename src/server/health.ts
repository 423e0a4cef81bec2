// The paths with which an orchestrator asks whether the process lives, and whether it takes new
// requests. No middleware covers them: no authentication, no line in the access log.

import type { Handler } from '../exchange/handler.ts';
import { prepare } from '../exchange/prepared.ts';
import type { Config } from './config/config.ts';
import { healthPaths } from './config/health-keys.ts';
import type { Routes } from './routes.ts';

const FIELDS = { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' };
const OK = prepare(200, FIELDS, 'ok');
const DRAINING = prepare(503, FIELDS, 'draining');

/** Adds the paths that the configuration has; called before any middleware is added. */
export function addHealthRoutes(routes: Routes, config: Config, isDraining: () => boolean): void {
  const { healthz, readyz } = healthPaths(config);
  const live: Handler = (_request, response) => response.prepared(OK);
  const ready: Handler = (_request, response) => response.prepared(isDraining() ? DRAINING : OK);
  const add = (pattern: string, handler: Handler, place: string): void => {
    routes.add(routes.root, { method: 'GET', pattern, middleware: [], handler, place });
  };
  if (healthz !== null) add(healthz, live, 'option healthz');
  if (readyz !== null) add(readyz, ready, 'option readyz');
}
