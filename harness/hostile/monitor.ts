// What is looked at while hostile handlers run: whose marks are read, what calls throw, whether
// Node's loop gets its turn, promises that nobody handles.

import { AssertionFault } from '../../src/base/assert.ts';
import type { VirtualLoop } from '../world/loop.ts';
import { type CheckName, Violation } from '../world/violation.ts';
import { foreignIn } from './marks.ts';
import type { RequestRecord } from './record.ts';

/**
 * Rounds of one loop of a handler between two phases of Node's loop, while nobody else gets a turn.
 * Pieces have this size at least, so that room for answers takes fewer of them.
 */
export const ROUNDS_IN_A_PHASE_MAX = 400;
export const LOOP_PIECE_BYTES = 512;

/** What is wrong when the server's own code meets what it does not expect. */
const OWN_MISTAKE = /Cannot (read|set) propert|is not (a function|iterable)|of (null|undefined)/;

/** What a client got of a whole answer. */
export interface Heard {
  readonly status: number;
  readonly bytes: number;
  /** Nothing went wrong on the way, so the server knows that all of it was taken. */
  readonly isSure: boolean;
}

export interface WatchParts {
  readonly loop: VirtualLoop;
  readonly report: (violation: Violation) => void;
  readonly isOver: () => boolean;
}

export class Watch {
  readonly #parts: WatchParts;
  /** How often what occurred, as 'group: name'. */
  readonly occurred: Map<string, number> = new Map();
  /** The lane of the clients by their addresses as a server sees them. */
  readonly #lanes = new Map<string, number>();
  /** Promises of the API by the call that gave them, which have not settled. */
  readonly unsettled: Map<string, number> = new Map();
  /** Whole answers of requests whose handlers do everything right. */
  readonly heard: Map<number, Heard> = new Map();
  readonly #rejected = (reason: unknown): void => {
    this.report('rejection', `a promise that nobody handles was rejected: ${textOf(reason)}`);
  };
  readonly #thrown = (error: unknown): void => {
    this.report('rejection', `thrown where nobody catches it: ${textOf(error)}`);
  };

  constructor(parts: WatchParts) {
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

  // --- What is read ---

  /** Something was read through an object of `record`, and may name no other request. */
  read(record: RequestRecord, what: string, value: unknown): void {
    const text = plainText(value);
    if (text === '') return;
    const foreign = foreignIn(text, record.id);
    if (foreign === null) return;
    this.report('isolation', `${what} of request ${record.id} shows ${foreign}`, record);
  }

  /** The same for what must stay as it was at first. */
  readSame(record: RequestRecord, what: string, value: string, first: string): void {
    this.read(record, what, value);
    if (value === first) return;
    const texts = `${JSON.stringify(value.slice(0, 80))}, not ${JSON.stringify(first)}`;
    this.report('isolation', `${what} of request ${record.id} became ${texts}`, record);
  }

  /** What is true for ever once it is; `due`: it has to be by now. */
  staysTrue(record: RequestRecord, what: string, now: boolean, due: boolean): void {
    const { id, wasTrue } = record;
    if (!now && (due || wasTrue.has(what))) {
      this.report('isolation', `${what} of request ${id} is false behind its end`, record);
    }
    if (now) wasTrue.add(what);
  }

  connected(lane: number, address: string): void {
    this.#lanes.set(address, lane);
  }

  /** An address that was read: that of the request's own client, or none. */
  readAddress(record: RequestRecord, address: string, port: number): void {
    if (address === '') return;
    const lane = this.#lanes.get(`${address}:${port}`);
    if (lane === record.lane) return;
    const whose = `the address of client ${lane}`;
    this.report('address', `request ${record.id} of client ${record.lane} shows ${whose}`, record);
  }

  // --- What is thrown ---

  /** An error that a call gave: those of the server's own mistakes are violations. */
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
    // What handlers throw may throw in turn.
    return null;
  }
}

export function textOf(value: unknown): string {
  try {
    return value instanceof Error ? `${value.name}: ${value.message}` : String(value);
  } catch {
    return 'what cannot be shown';
  }
}

/** All texts in a value that a call gave. */
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
