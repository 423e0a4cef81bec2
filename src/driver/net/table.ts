// How many bytes the peers of TCP connections have not acknowledged, which Linux lists for all of
// them in /proc/net. Node has no call for it, so on other systems it is unknown.

import { readFileSync } from 'node:fs';
import { AF_INET } from '../linux/layout.ts';
import { socketAddress } from '../linux/sockaddr.ts';

/** Reading the table takes at most one part in 20 of the time. */
const READ_TIME_PART = 20;
/** Calls within this time share one reading. */
const FRESH_MS_MIN = 5;
/**
 * A reading that takes longer is not repeated for a socket that has used it. Linux lists closed
 * connections for a minute, of which clients can make many.
 */
const SLOW_READ_MS = 100;

/** The state of an old connection whose addresses and ports a new one may have as well. */
const TIME_WAIT = '06';

export type ReadTable = (path: string) => string;

/** The addresses and ports of a node:net socket. */
export interface NetName {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

export interface Reading {
  /** -1 when unknown. */
  readonly bytes: number;
  /** The number of the reading; 0 for none. */
  readonly reading: number;
}

const UNKNOWN: Reading = { bytes: -1, reading: 0 };

export class NetTable {
  readonly #inet: Table;
  readonly #inet6: Table;

  constructor(read: ReadTable = readText, now: () => number = () => performance.now()) {
    this.#inet = new Table('/proc/net/tcp', read, now);
    this.#inet6 = new Table('/proc/net/tcp6', read, now);
  }

  /**
   * Reads the table again unless there is a reading that is fresh and later than number `after`.
   * Unknown where reading it again would take too much time.
   */
  unacknowledged(name: NetName, after: number): Reading {
    const { localAddress, localPort, remoteAddress, remotePort } = name;
    const local = nameOf(localAddress, localPort);
    const remote = nameOf(remoteAddress, remotePort);
    if (local === null || remote === null) return UNKNOWN;
    const table = local.length === INET_NAME_LENGTH ? this.#inet : this.#inet6;
    return table.find(`${local} ${remote}`, after);
  }
}

class Table {
  readonly #path: string;
  readonly #read: ReadTable;
  readonly #now: () => number;
  #rows: ReadonlyMap<string, number> = new Map();
  #reading = 0;
  #freshUntilMs = Number.NEGATIVE_INFINITY;
  #isSlow = false;

  constructor(path: string, read: ReadTable, now: () => number) {
    this.#path = path;
    this.#read = read;
    this.#now = now;
  }

  find(name: string, after: number): Reading {
    const beganMs = this.#now();
    const isUsed = this.#reading <= after;
    const isFresh = beganMs < this.#freshUntilMs;
    if (isUsed && isFresh && this.#isSlow) return { bytes: -1, reading: after };
    if (isUsed || !isFresh) {
      this.#rows = rowsOf(this.#read(this.#path));
      this.#reading += 1;
      const endedMs = this.#now();
      const tookMs = endedMs - beganMs;
      this.#freshUntilMs = endedMs + Math.max(FRESH_MS_MIN, READ_TIME_PART * tookMs);
      this.#isSlow = tookMs > SLOW_READ_MS;
    }
    return { bytes: this.#rows.get(name) ?? -1, reading: this.#reading };
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // Another system, or a container without /proc/net.
    return '';
  }
}

/** Bytes to send by both names, of rows '  0: 0100007F:1F90 0100007F:C350 01 0000002A:00000000'. */
function rowsOf(text: string): Map<string, number> {
  const rows = new Map<string, number>();
  for (const line of text.split('\n')) {
    const from = line.indexOf(': ') + 2;
    const middle = line.indexOf(' ', from);
    const to = line.indexOf(' ', middle + 1);
    if (from < 2 || middle < 0 || to < 0) continue;
    if (line.startsWith(TIME_WAIT, to + 1)) continue;
    const queue = line.slice(to + 4, line.indexOf(':', to + 4));
    rows.set(line.slice(from, to), Number.parseInt(queue, 16));
  }
  return rows;
}

/** Eight digits of an IPv4 address, a colon, four of a port. */
const INET_NAME_LENGTH = 13;

/**
 * An address as the kernel writes it: words of four bytes, each from its last byte to its first.
 */
function nameOf(address: string | undefined, port: number | undefined): string | null {
  if (address === undefined || port === undefined) return null;
  const found = socketAddress(address.replace(/%.*/, ''), port);
  if (found === null) return null;
  const [from, to] = found.family === AF_INET ? [4, 8] : [8, 24];
  let digits = '';
  for (let word = from; word < to; word += 4) {
    for (let at = word + 3; at >= word; at--) digits += hex(found.bytes[at], 2);
  }
  return `${digits}:${hex(port, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
