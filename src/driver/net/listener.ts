// The listener of the portable driver: a node:net server for an address, a unix socket path (a file
// that a dead server left there is removed) or an inherited descriptor.

import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import {
  connect,
  createServer,
  isIP,
  type ListenOptions,
  type Server,
  type Socket,
} from 'node:net';
import { ERRNO, faultOf } from '../../base/errno.ts';
import { KEEP_ALIVE_PROBE_SECONDS } from '../../base/fixed-limits.ts';
import type { Address } from '../driver.ts';
import { keepingOthers, type SocketFile, socketFileAt, withMode } from '../socket-file.ts';

/** The longest path of a unix socket: less on macOS and the BSDs, more for named pipes. */
const PATH_BYTES_MAX = { linux: 107, win32: 256 }[String(process.platform)] ?? 103;

export interface ListenerEvents {
  /** The port (0 for a unix socket) or -errno, once. After -errno the listener is closed. */
  listenDone(result: number): void;
  /** A client whose socket is paused: Node reads nothing from it yet. */
  accepted(socket: Socket, isUnix: boolean): void;
  acceptFault(fault: number): void;
}

export class NetListener {
  readonly address: Address;
  readonly backlog: number;
  readonly events: ListenerEvents;
  readonly server: Server;
  isListening = false;
  /** The file of a unix socket. */
  file: SocketFile | null = null;
  /** Whether it is a unix socket; of an inherited listener Node says it only when it listens. */
  isUnix = false;
  isClosed = false;
  /** A stale socket file is removed once; a second EADDRINUSE is due to another server. */
  staleRemoved = false;

  constructor(address: Address, backlog: number, events: ListenerEvents) {
    this.address = address;
    this.backlog = backlog;
    this.events = events;
    this.server = createServer({
      allowHalfOpen: true,
      noDelay: true,
      pauseOnConnect: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_PROBE_SECONDS * 1000,
    });
    this.server.on('listening', () => this.onListening());
    this.server.on('error', (error) => this.onError(error));
    this.server.on('connection', (socket) => this.onConnection(socket));
  }

  listen(): void {
    const options = listenOptions(this.address, this.backlog);
    if (options === null) {
      this.failed(-ERRNO.EINVAL);
      return;
    }
    try {
      const mode = 'path' in this.address ? this.address.mode : undefined;
      withMode(mode, () => this.server.listen(options));
    } catch (error) {
      this.failed(faultOf(error, ERRNO.EINVAL));
    }
  }

  /** The descriptor is closed when this returns; Node also removes the file of a unix socket. */
  close(): void {
    this.isClosed = true;
    if (this.isListening) keepingOthers(this.file, () => this.server.close());
    this.isListening = false;
    this.file = null;
  }

  failed(fault: number): void {
    this.close();
    this.events.listenDone(fault);
  }

  onListening(): void {
    this.isListening = true;
    if ('path' in this.address) this.file = socketFileAt(this.address.path);
    const bound = this.server.address();
    this.isUnix = bound === null || typeof bound === 'string';
    if (bound !== null && typeof bound !== 'string') {
      this.events.listenDone(bound.port);
      return;
    }
    if ('path' in this.address && this.address.mode !== undefined) {
      try {
        chmodSync(this.address.path, this.address.mode);
      } catch (error) {
        this.failed(faultOf(error, ERRNO.EACCES));
        return;
      }
    }
    this.events.listenDone(0);
  }

  onError(error: Error): void {
    if (this.isClosed) return;
    const fault = faultOf(error, ERRNO.EINVAL);
    if (this.isListening) {
      this.events.acceptFault(fault);
    } else if (fault === -ERRNO.EADDRINUSE && 'path' in this.address && !this.staleRemoved) {
      this.staleRemoved = true;
      this.removeStale(this.address.path);
    } else {
      this.failed(fault);
    }
  }

  /** Only a socket that refuses connections is stale; any other file there is kept. */
  removeStale(path: string): void {
    if (!isSocketFile(path)) {
      this.failed(-ERRNO.EADDRINUSE);
      return;
    }
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      this.failed(-ERRNO.EADDRINUSE);
    });
    probe.on('error', (error) => {
      if (faultOf(error, ERRNO.EADDRINUSE) !== -ERRNO.ECONNREFUSED) {
        this.failed(-ERRNO.EADDRINUSE);
        return;
      }
      try {
        unlinkSync(path);
      } catch (unlinkError) {
        this.failed(faultOf(unlinkError, ERRNO.EADDRINUSE));
        return;
      }
      this.listen();
    });
  }

  onConnection(socket: Socket): void {
    if (this.isClosed) {
      socket.destroy();
    } else {
      this.events.accepted(socket, this.isUnix);
    }
  }
}

function isSocketFile(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}

/** Null for a host that is no literal address, as names are not resolved here, or a long path. */
function listenOptions(address: Address, backlog: number): ListenOptions | null {
  if ('fd' in address) return { fd: address.fd, backlog } as ListenOptions;
  if ('path' in address) {
    // Node would truncate a longer path without an error, and the socket get another name.
    const fits = Buffer.byteLength(address.path) <= PATH_BYTES_MAX;
    return fits ? { path: address.path, backlog } : null;
  }
  if (isIP(address.host) === 0) return null;
  // Node before 22.12 does not know reusePort and listens without it.
  const options: ListenOptions & { reusePort?: boolean } = {
    host: address.host,
    port: address.port,
    backlog,
  };
  if (address.reusePort === true) options.reusePort = true;
  return options;
}
