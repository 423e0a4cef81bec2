// Checks while hostile handlers run: marks in what is read, errors of calls, starvation of Node's
// event loop, unhandled rejections.

import { AssertionFault } from '../../src/base/assert.ts';
import type { VirtualLoop } from '../world/loop.ts';
import { type CheckName, Violation } from '../world/violation.ts';
import { foreignIn } from './marks.ts';
import type { RequestRecord } from './record.ts';

/**
 * The most rounds of a handler's loop within one phase of Node's event loop. Chunks have this size
 * at least, so that fewer of them fill the send queue.
 */
export const ROUNDS_IN_A_PHASE_MAX = 400;
export const LOOP_CHUNK_BYTES = 512;

/** Errors of the server's own code. */
const OWN_MISTAKE = /Cannot (read|set) propert|is not (a function|iterable)|of (null|undefined)/;

/** A complete response, as its client received it. */
export interface ReceivedResponse {
  readonly status: number;
  readonly bytes: number;
  /** Without faults: the server knows that all of it was acknowledged. */
  readonly isSure: boolean;
}

export interface MonitorParts {
  readonly loop: VirtualLoop;
  readonly report: (violation: Violation) => void;
  readonly isOver: () => boolean;
}

export class Monitor {
  readonly #parts: MonitorParts;
  /** How often things occurred, by 'group: name'. */
  readonly occurred: Map<string, number> = new Map();
  /** The clients by their address, as the server sees it. */
  readonly #lanes = new Map<string, number>();
  /** Promises of the API that have not settled, by the call that returned them. */
  readonly unsettled: Map<string, number> = new Map();
  /** Complete responses of correct handlers and of guards, by request. */
  readonly received: Map<number, ReceivedResponse> = new Map();
  readonly #rejected = (reason: unknown): void => {
    this.report('rejection', `unhandled rejection: ${textOf(reason)}`);
  };
  readonly #thrown = (error: unknown): void => {
    this.report('rejection', `uncaught exception: ${textOf(error)}`);
  };

  constructor(parts: MonitorParts) {
    this.#parts = parts;
  }

  begin(): void {
    process.on('unhandledRejection', this.#rejected);
    process.on('uncaughtException', this.#thrown);
  }

  end(): void {
    process.off('unhandledRejection', this.#rejected);
    process.off('uncaughtException', this.#thrown);
  }

  get isOver(): boolean {
    return this.#parts.isOver();
  }

  get phases(): number {
    return this.#parts.loop.phases;
  }

  report(check: CheckName, message: string, record?: RequestRecord): void {
    this.#parts.report(new Violation(check, message, record?.lane ?? -1));
  }

  count(group: string, name: string): void {
    const key = `${group}: ${name}`;
    this.occurred.set(key, (this.occurred.get(key) ?? 0) + 1);
  }

  // --- Values that are read ---

  /**
   * A value that was read through an object of `record`: it must have no mark of another request.
   */
  read(record: RequestRecord, what: string, value: unknown): void {
    const text = plainText(value);
    if (text === '') return;
    const foreign = foreignIn(text, record.id);
    if (foreign === null) return;
    this.report('isolation', `${what} of request ${record.id} shows ${foreign}`, record);
  }

  /** The same for a value that must never change. */
  readSame(record: RequestRecord, what: string, value: string, first: string): void {
    this.read(record, what, value);
    if (value === first) return;
    const texts = `${JSON.stringify(value.slice(0, 80))}, not ${JSON.stringify(first)}`;
    this.report('isolation', `${what} of request ${record.id} became ${texts}`, record);
  }

  /** A property that stays true once it is; `due`: it must be true by now. */
  staysTrue(record: RequestRecord, what: string, now: boolean, due: boolean): void {
    const { id, wasTrue } = record;
    if (!now && (due || wasTrue.has(what))) {
      this.report('isolation', `${what} of request ${id} is false after its end`, record);
    }
    if (now) wasTrue.add(what);
  }

  connected(lane: number, address: string): void {
    this.#lanes.set(address, lane);
  }

  /** An address that was read: the one of the request's own client, or ''. */
  readAddress(record: RequestRecord, address: string, port: number): void {
    if (address === '') return;
    const lane = this.#lanes.get(`${address}:${port}`);
    if (lane === record.lane) return;
    const whose = `the address of client ${lane}`;
    this.report('address', `request ${record.id} of client ${record.lane} shows ${whose}`, record);
  }

  // --- Errors ---

  /** An error of a call: those of the server's own code are violations. */
  caught(record: RequestRecord, what: string, error: unknown): void {
    const own = ownMistake(error);
    if (own !== null) this.report('assertion', `${what} of request ${record.id}: ${own}`, record);
  }
}

function ownMistake(error: unknown): string | null {
  try {
    if (!(error instanceof Error)) return null;
    if (error instanceof AssertionFault) return `assertion: ${error.message}`;
    const isOwn = error instanceof TypeError && OWN_MISTAKE.test(error.message);
    return isOwn ? error.message : null;
  } catch {
    // Reading a thrown value may throw.
    return null;
  }
}

export function textOf(value: unknown): string {
  try {
    return value instanceof Error ? `${value.name}: ${value.message}` : String(value);
  } catch {
    return 'a value that cannot be shown';
  }
}

/** All texts in a value that a call returned. */
function plainText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
  }
  if (Array.isArray(value)) return value.map(plainText).join(' ');
  if (value instanceof URLSearchParams) return [...value].flat().join(' ');
  if (value instanceof FormData) {
    const fields: string[] = [];
    for (const [name, field] of value) fields.push(name, String(field));
    return fields.join(' ');
  }
  if (typeof value !== 'object' || value === null) return '';
  return Object.values(value).filter(isText).join(' ');
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
