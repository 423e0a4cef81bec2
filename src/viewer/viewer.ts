// The viewer in the browser: a small server on loopback that watches another server and serves one
// page with its charts. Pages get the history when they open, then a step each second, as
// server-sent events; nothing is loaded from elsewhere.

import type { EventStream } from '../exchange/event-stream.ts';
import type { Middleware } from '../exchange/handler.ts';
import { HttpError } from '../exchange/http-error.ts';
import type { Request } from '../exchange/request.ts';
import { createServer } from '../index.ts';
import { securityHeaders } from '../middleware/security-headers.ts';
import type { Server } from '../server/server.ts';
import { accessProblem } from './access.ts';
import { metricsUrl } from './address.ts';
import type { Step } from './history.ts';
import { PAGE_QUEUE_BYTES_MAX, PAGES_MAX } from './limits.ts';
import type { Opening, Update } from './messages.ts';
import { PAGE } from './page-html.ts';
import { STYLE } from './page-style.ts';
import { readAssets } from './source/assets.ts';
import { type AccessOptions, FetchProblem, SnapshotSource } from './source/fetch-snapshot.ts';
import { Watch } from './source/watch.ts';

/** Options of `viewMetrics()`. */
export interface MetricsViewerOptions extends AccessOptions {
  /** Where the metrics are: a URL of http or https, `host:port` or a port, by default /metrics. */
  readonly url: string;
  /** The port of the viewer on 127.0.0.1; 0, the default, is any free one. */
  readonly port?: number;
}

/** A viewer that runs, until `close()`. */
export interface MetricsViewer {
  /** The address of the page. */
  readonly url: string;
  /** Stops watching, and closes the page's connections. */
  close(): Promise<void>;
}

const INTERVAL_MS = 1_000;
const HEARTBEAT_MS = 15_000;
/** A page needs three connections: it loads files while its events are open. */
const CONNECTIONS_MAX = 128;

const HEADERS = {
  contentSecurityPolicy: {
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'connect-src': ["'self'"],
    'img-src': ['data:'],
    'base-uri': ["'none'"],
    'form-action': ["'none'"],
    'frame-ancestors': ["'none'"],
  },
  frameOptions: 'DENY',
} as const;

/**
 * Starts a viewer. Rejects with a TypeError when the URL is wrong, with a FetchProblem when the
 * server has no metrics, and with the error of listen() when the port is taken.
 */
export async function viewMetrics(options: MetricsViewerOptions): Promise<MetricsViewer> {
  const target = metricsUrl(options.url);
  if (typeof target === 'string') throw new TypeError(`viewMetrics: url: ${target}`);
  const problem = accessProblem(target, options);
  if (problem !== null) throw new TypeError(`viewMetrics: ${problem}`);
  const site = new ViewerSite(target, options);
  try {
    await site.watch.start();
    const { port } = await site.listen(options.port ?? 0);
    return { url: `http://127.0.0.1:${port}/`, close: () => site.close() };
  } catch (error) {
    site.watch.stop();
    if (error instanceof FetchProblem) throw new FetchProblem(`${target.href}: ${error.message}`);
    throw error;
  }
}

class ViewerSite {
  readonly watch: Watch;
  readonly #target: URL;
  readonly #pages = new Set<EventStream>();
  #server: Server | null = null;

  constructor(target: URL, access: AccessOptions) {
    this.#target = target;
    const changed = (step: Step | null) => this.#changed(step);
    const source = new SnapshotSource(target, access);
    this.watch = new Watch(source, { intervalMs: INTERVAL_MS }, { changed });
  }

  async listen(port: number): Promise<{ readonly port: number }> {
    const server = createServer({
      host: '127.0.0.1',
      port,
      connectionsMax: CONNECTIONS_MAX,
      blockCount: CONNECTIONS_MAX,
      logLevel: 'warn',
    });
    this.#server = server;
    server.use(onlyLoopbackNames);
    server.use(onlyOwnPages);
    server.use(securityHeaders(HEADERS));
    const files = [
      ['/', 'text/html; charset=utf-8', PAGE],
      ['/style.css', 'text/css; charset=utf-8', STYLE],
      ...readAssets(),
    ] as const;
    for (const [path, type, text] of files) {
      server.get(path, (_req, res) => {
        res.header('Cache-Control', 'no-cache').send(text, type);
      });
    }
    server.get('/events', async (_req, res) => {
      this.#forgetClosed();
      if (this.#pages.size >= PAGES_MAX) {
        throw new HttpError(503, `${PAGES_MAX} pages are open already: close one of them`);
      }
      const queueBytesMax = PAGE_QUEUE_BYTES_MAX;
      this.#open(res.events({ heartbeatMs: HEARTBEAT_MS, queueBytesMax }));
    });
    return await server.listen();
  }

  async close(): Promise<void> {
    this.watch.stop();
    for (const page of this.#pages) page.close();
    await this.#server?.close();
  }

  #open(page: EventStream): void {
    const opening: Opening = {
      target: this.#target.href,
      server: this.watch.server,
      history: this.watch.history.record,
      absence: this.watch.absence,
    };
    this.#pages.add(page);
    void page.send(textOf(opening), { event: 'opening', retryMs: INTERVAL_MS });
  }

  #changed(step: Step | null): void {
    const update: Update = { step, absence: this.watch.absence };
    const text = textOf(update);
    this.#forgetClosed();
    for (const page of this.#pages) void page.send(text, { event: 'update' });
  }

  #forgetClosed(): void {
    for (const page of this.#pages) if (page.closed) this.#pages.delete(page);
  }
}

/**
 * A page of another site could reach this server under a name of its own that leads to 127.0.0.1,
 * and would then read what it sends.
 */
const onlyLoopbackNames: Middleware = (req, _res, next) => {
  const host = (req.header('host') ?? '').replace(/:\d*$/, '').toLowerCase();
  if (LOOPBACK_NAMES.includes(host)) return next();
  throw new HttpError(421, 'open the viewer as http://127.0.0.1 or http://localhost');
};

/**
 * Another site cannot read what this server sends, but could open all events that may be open at a
 * time. Browsers say where a request comes from (Fetch Metadata); other clients send no such field.
 * A link to the page may be on any site.
 */
const onlyOwnPages: Middleware = (req, _res, next) => {
  const site = req.header('sec-fetch-site');
  const isOwn = site === undefined || site === 'same-origin' || site === 'none';
  if (isOwn || isLink(req)) return next();
  throw new HttpError(403, 'only the page of the viewer can load this');
};

function isLink(req: Request): boolean {
  return req.path === '/' && req.header('sec-fetch-mode') === 'navigate';
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/** Digits that no chart shows are left out: they are most of the text. */
function textOf(value: Opening | Update): string {
  return JSON.stringify(value, shorter);
}

function shorter(name: string, value: unknown): unknown {
  if (typeof value !== 'number' || Number.isInteger(value) || TIMES.includes(name)) return value;
  return Number(value.toPrecision(DIGITS));
}

const DIGITS = 6;
/** Seconds since the epoch have more digits. */
const TIMES = ['time', 'started'];
