// What the hostile application knows of one request: who it is, how far it is, and the objects it
// was given last.

import type { Summary } from '../../src/exchange/callbacks.ts';
import type { Request } from '../../src/exchange/request.ts';
import type { Response } from '../../src/exchange/response.ts';
import type { Kind } from './grammar.ts';
import { laneOf, markOf, secretOf } from './marks.ts';
import type { Script } from './script.ts';

export class RequestRecord {
  readonly id: number;
  /** The number of its client. */
  readonly lane: number;
  readonly script: Script;
  readonly mark: string;
  readonly secret: string;
  /** What the request said of itself at first: it must never say anything else. */
  readonly target: string;
  readonly cookie: string;
  /** The guard called next() for it. */
  letThrough = false;
  /** Its handlers and middleware that are on the stack. */
  syncDepth = 0;
  /** How often a part of its chain was begun. */
  runs = 0;
  /** Its afterSend() was called so often, and what was said the first time. */
  ends = 0;
  summary: Summary | null = null;
  /** What the front returned has settled. */
  settled = false;
  /** Its objects may be kept and used by everybody. */
  isOpen: boolean;
  /** The last object of each kind that its calls gave. */
  readonly latest: Map<Kind, object> = new Map();
  /** Properties that were true once, as 'response.sent': they must stay so. */
  readonly wasTrue: Set<string> = new Set();
  readonly #whenEnded: (() => void)[] = [];
  readonly #whenOver: (() => void)[] = [];

  constructor(id: number, script: Script, request: Request) {
    this.id = id;
    this.lane = laneOf(id);
    this.script = script;
    this.mark = markOf(id);
    this.secret = secretOf(id);
    this.target = request.target;
    this.cookie = request.header('cookie') ?? '';
    this.isOpen = script.kind === 'hostile';
  }

  get ended(): boolean {
    return this.ends > 0;
  }

  /** Answered or given up, and nothing of its chain goes on. */
  get isOver(): boolean {
    return this.settled && (this.ended || !this.script.watched);
  }

  /** Its answer was sent whole. */
  get complete(): boolean {
    return this.summary?.complete === true;
  }

  end(summary: Summary): void {
    this.ends += 1;
    if (this.ends > 1) return;
    this.summary = summary;
    for (const run of this.#whenEnded.splice(0)) run();
    this.#checkOver();
  }

  settle(): void {
    this.settled = true;
    this.#checkOver();
  }

  #checkOver(): void {
    if (this.isOver) for (const run of this.#whenOver.splice(0)) run();
  }

  /** Calls back when its answer was handed over, or given up; at once when that has been. */
  whenEnded(run: () => void): void {
    if (this.ended) run();
    else this.#whenEnded.push(run);
  }

  whenOver(run: () => void): void {
    if (this.isOver) run();
    else this.#whenOver.push(run);
  }
}

/** A call of a handler or middleware: the objects it was given. */
export interface Frame {
  readonly record: RequestRecord;
  readonly request: Request;
  readonly response: Response;
  readonly next: (() => Promise<void>) | null;
}
