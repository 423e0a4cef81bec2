// The public names of `vibing`, and nothing else.

export type { BodyOptions } from './exchange/body-options.ts';
export type { Outgoing, Summary } from './exchange/callbacks.ts';
export type { EventOptions, EventStream, EventStreamOptions } from './exchange/event-stream.ts';
export type { FileOptions } from './exchange/file.ts';
export type { FormPart } from './exchange/form-part.ts';
export type { Handler, Middleware, Next } from './exchange/handler.ts';
export { HttpError, type HttpErrorOptions, type ProblemMembers } from './exchange/http-error.ts';
export type { PartLimits, PartsOptions } from './exchange/parts-iterator.ts';
export { type HeaderSource, type Prepared, prepare } from './exchange/prepared.ts';
export type { Problem } from './exchange/problem.ts';
export { problemDetails } from './exchange/problem-details.ts';
export type { Params, Request, State } from './exchange/request.ts';
export type { RequestCookies } from './exchange/request-cookies.ts';
export type { Response } from './exchange/response.ts';
export type { SavedFile } from './exchange/save-file.ts';
export type { ClearCookieOptions, CookieOptions } from './exchange/set-cookie.ts';
export {
  type SignedCookies,
  type SignedCookiesOptions,
  signedCookies,
} from './exchange/signed-cookies.ts';
export type { ChunkSource } from './exchange/source.ts';
export type {
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchema,
  ValidationProblem,
} from './exchange/standard-schema.ts';
export type { RequestTrace } from './exchange/tracing.ts';
export type { TraceContext } from './http/trace-context.ts';
export type { Counters } from './metrics/counters.ts';
export type {
  Counter,
  Gauge,
  Histogram,
  HistogramOptions,
  LabelValues,
  OwnMetrics,
} from './metrics/own.ts';
export type { PathParams } from './route/path-params.ts';
export { type Config, ConfigError, type ServerOptions } from './server/config/config.ts';
export type { AddRoute, Group } from './server/group.ts';
export type { InjectBody, InjectHeaders, InjectOptions } from './server/inject/options.ts';
export type { InjectedResponse } from './server/inject/response.ts';
export type { ErrorHandler } from './server/scope.ts';
export type { Listening, Server } from './server/server.ts';

import { NodeFigures } from './async-io/process-figures.ts';
import { assignment } from './cluster/assignment.ts';
import { workerCount } from './cluster/cores.ts';
import { ThreadComposer } from './cluster/metrics-composer.ts';
import { Primary } from './cluster/primary.ts';
import { Service } from './cluster/service.ts';
import { workerSiblings } from './cluster/siblings.ts';
import { Worker } from './cluster/worker.ts';
import type { ServerOptions } from './server/config/config.ts';
import { Server } from './server/server.ts';

/** Null in a process that is not a worker. */
const worker = assignment === null ? null : new Worker(assignment);

const metricsPorts = {
  figures: new NodeFigures(),
  makeComposer: () => new ThreadComposer(),
};

/** A server that does nothing yet; throws ConfigError with every problem of the options. */
export function createServer(...given: [options?: ServerOptions]): Server {
  const [options = {}] = given;
  if (given.length > 1) {
    const instead = 'routes are added by its methods, as server.get(pattern, handler)';
    throw new TypeError(`createServer() takes one object of options: ${instead}`);
  }
  if (worker !== null) {
    worker.prepare();
    return new Server(options, {
      isWorker: true,
      launch: () => null,
      inherited: () => worker.inherited,
      listening: (server, listen) => worker.listen(server, listen),
      closing: (server) => worker.closing(server),
      closed: (server) => worker.exitWhenDone(server),
      logPrefix: worker.logPrefix,
      noted: (text) => worker.note(text),
      responding: (nowMs) => worker.responding(nowMs),
      siblings: workerSiblings(),
      metricsPorts,
      sharedMetrics: () => worker.takeMetrics(),
    });
  }
  const service = new Service();
  return new Server(options, {
    launch: (config, log) =>
      workerCount(config) > 1 || config.supervise
        ? new Primary(config, log, service.address)
        : null,
    inherited: () => {
      const { address } = service;
      return address === null ? null : { driver: null, address };
    },
    listening: (_server, listen) => listen(),
    closed: () => {},
    metricsPorts,
    service,
  });
}
