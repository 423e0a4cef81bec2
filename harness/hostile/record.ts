// What the hostile application knows of one request: its identity, its state and its latest
// objects.

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
  /** Values that were read first: they must never change. */
  readonly target: string;
  readonly cookie: string;
  /** The guard called next() for it. */
  admitted = false;
  /** Its handlers and middleware on the call stack. */
  syncDepth = 0;
  /** How many parts of its chain have started. */
  runs = 0;
  /** How often its afterSend() was called, and the summary of the first call. */
  ends = 0;
  summary: Summary | null = null;
  /** The promise of the front middleware has settled. */
  settled = false;
  /** Other requests may use its objects. */
  isOpen: boolean;
  /** The latest object of each kind that its calls returned. */
  readonly latest: Map<Kind, object> = new Map();
  /** Properties that were true once, as 'response.sent': they must stay so. */
  readonly wasTrue: Set<string> = new Set();
  /** Its error handler has run. */
  hasFailed = false;
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

  /** Its response ended, and nothing of its chain runs. */
  get isOver(): boolean {
    return this.settled && (this.ended || !this.script.hasAfterSend);
  }

  /** Its response was sent completely. */
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

  /** Calls back when its response ends; at once if it has ended. */
  whenEnded(run: () => void): void {
    if (this.ended) run();
    else this.#whenEnded.push(run);
  }

  whenOver(run: () => void): void {
    if (this.isOver) run();
    else this.#whenOver.push(run);
  }
}

/** A call of a handler or middleware with its objects. */
export interface Frame {
  readonly record: RequestRecord;
  readonly request: Request;
  readonly response: Response;
  readonly next: (() => Promise<void>) | null;
}
