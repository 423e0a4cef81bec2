// A directory tree of its own with something to hide beside it, a server over real sockets that
// serves it, and a client that sends paths just as they are given.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { AsyncIo } from '../../src/async-io/async-io.ts';
import { NodeAsyncIo } from '../../src/async-io/node.ts';
import type { DriverName } from '../../src/driver/choose.ts';
import type { Middleware } from '../../src/exchange/handler.ts';
import type { ServerOptions } from '../../src/server/config/config.ts';
import { Server } from '../../src/server/server.ts';
import { type StaticOptions, serveStatic } from '../../src/static/serve-static.ts';
import { chosenDrivers } from '../../testing/with-server.ts';

/** A guard against waiting for ever, never a measurement. */
const PATIENCE_MS = 30_000;

/** The drivers to test here. */
export const DRIVERS: readonly DriverName[] = chosenDrivers();

export const posixOnly: { skip?: string } =
  process.platform === 'win32' ? { skip: 'Windows has no such files' } : {};

export const linuxOnly: { skip?: string } =
  process.platform === 'linux' ? {} : { skip: 'only Linux tells what is open' };

/** What lies beside the root and must never be seen. */
export const SECRET = 'the secret beside the root';

export interface RawResponse {
  readonly status: number;
  /** Lower-case names; of several lines the last. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** False when the connection ended before the content that was announced. */
  readonly whole: boolean;
}

export interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SiteOptions {
  readonly driver: DriverName;
  /** Names below the root, '/' at the end for a directory, and what is in them. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly static?: StaticOptions;
  /** Where the root is mounted; everywhere unless given. */
  readonly mount?: string;
  readonly server?: ServerOptions;
  readonly asyncIo?: AsyncIo;
  /** Routes and middleware in front of the files, or behind them. */
  readonly before?: (server: Server) => void;
  readonly behind?: (server: Server) => void;
}

/** A temporary directory with a root in it and a secret beside the root. */
export function makeTree(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const outside = realpathSync(mkdtempSync(join(tmpdir(), 'vibing-site-')));
  const root = join(outside, 'served');
  mkdirSync(join(outside, 'served-beside'), { recursive: true });
  mkdirSync(root);
  writeFileSync(join(outside, 'secret.txt'), SECRET);
  writeFileSync(join(outside, 'served-beside', 'secret.txt'), SECRET);
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    if (name.endsWith('/')) mkdirSync(path, { recursive: true });
    else {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
  }
  return root;
}

/** A server as the public one makes it, in this process, with a world of ours if wanted. */
export function makeServer(driver: DriverName, options: ServerOptions, asyncIo?: AsyncIo): Server {
  const base = { host: '127.0.0.1', port: 0, driver, logLevel: 'silent' as const };
  return new Server(
    { ...base, ...options },
    {
      launch: () => null,
      inherited: () => null,
      listening: (_server, listen) => listen(),
      closed: () => {},
      asyncIo: asyncIo ?? new NodeAsyncIo(),
    },
  );
}

export class Site {
  readonly root: string;
  readonly outside: string;
  readonly server: Server;
  port = 0;
  readonly #sockets = new Set<Socket>();

  private constructor(root: string, server: Server) {
    this.root = root;
    this.outside = dirname(root);
    this.server = server;
  }

  static async open(options: SiteOptions): Promise<Site> {
    const root = makeTree(options.files);
    const server = makeServer(options.driver, options.server ?? {}, options.asyncIo);
    const site = new Site(root, server);
    options.before?.(server);
    const middleware: Middleware = serveStatic(root, options.static);
    if (options.mount === undefined) server.use(middleware);
    else server.use(options.mount, middleware);
    options.behind?.(server);
    site.port = (await server.listen()).port;
    return site;
  }

  /** Where a name lies below the root. */
  at(name: string): string {
    return join(this.root, name);
  }

  connect(): Socket {
    const socket = connect(this.port, '127.0.0.1');
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  /** One request on a connection of its own; the path is sent as Latin-1, untouched. */
  async ask(path: string, { method = 'GET', headers = {} }: AskOptions = {}): Promise<RawResponse> {
    const socket = this.connect();
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const end = `Host: site\r\nConnection: close\r\n${lines.join('')}\r\n`;
    socket.write(`${method} ${path} HTTP/1.1\r\n${end}`, 'latin1');
    return responseOf(method, await everything(socket));
  }

  async text(path: string): Promise<string> {
    const { status, body } = await this.ask(path);
    return status === 200 ? body.toString() : String(status);
  }

  /** Ends the server and takes the tree away. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.server.close();
    rmSync(this.outside, { recursive: true, force: true });
  }
}

/** All that comes until the connection ends, in whatever way. */
export async function everything(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
  socket.on('data', (chunk) => chunks.push(chunk));
  await closed(socket);
  clearTimeout(patience);
  return Buffer.concat(chunks);
}

/** Resolves when a connection is over; a reset is an end too. */
export function closed(socket: Socket): Promise<void> {
  socket.on('error', () => {});
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** Status 0 when the connection broke before a head came. */
export function responseOf(method: string, bytes: Buffer): RawResponse {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return { status: 0, headers: new Map(), body: bytes, whole: false };
  const [line, ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers = new Map<string, string>();
  for (const field of lines) {
    const colon = field.indexOf(':');
    headers.set(field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim());
  }
  const body = bytes.subarray(headEnd + 4);
  const status = Number(line.split(' ')[1]);
  const announced = Number(headers.get('content-length') ?? 0);
  const none = method === 'HEAD' || status === 304 || status === 204;
  return { status, headers, body, whole: body.length === (none ? 0 : announced) };
}

/** Waits for something that events bring about, and says what when it does not come. */
export async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  const givenUpMs = performance.now() + PATIENCE_MS;
  while (!(await check())) {
    if (performance.now() > givenUpMs) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** What this process has open below a directory; Linux only. */
export function openBelow(directory: string): string[] {
  const found: string[] = [];
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      if (path.startsWith(directory)) found.push(path);
    } catch {
      // The descriptor of readdir itself is gone by now.
    }
  }
  return found;
}
