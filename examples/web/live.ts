// The live events of the web server example: one timer and one watch for all streams of a worker.

import type { EventStream, Request, Response, Server } from 'vibing';
import { HttpError } from 'vibing';
import type { Store } from './store.ts';

const STREAMS_MAX = 1_000;
const TICK_MS = 1_000;
const HEARTBEAT_MS = 15_000;
/** Changes in this time are one event: a write and a rename are several changes of the folder. */
const SETTLE_MS = 50;

export class Live {
  readonly #store: Store;
  readonly #server: Server;
  readonly #streams = new Set<EventStream>();
  #timer: NodeJS.Timeout | null = null;
  #watch: { close(): void } | null = null;
  #change: NodeJS.Timeout | null = null;
  #lastId = 0;

  constructor(store: Store, server: Server) {
    this.#store = store;
    this.#server = server;
    // Or the streams would delay the end of the server.
    server.closing.addEventListener('abort', () => this.#closeAll());
  }

  add(req: Request, res: Response): void {
    if (this.#streams.size >= STREAMS_MAX) throw new HttpError(503, 'too many streams');
    const events = res.events({ heartbeatMs: HEARTBEAT_MS, whenFull: 'drop' });
    if (this.#server.closing.aborted) events.close();
    // Also where a HEAD was sent, or the client has left.
    if (events.closed) return;
    this.#streams.add(events);
    req.signal.addEventListener('abort', () => this.#remove(events));
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
    this.#watch ??= this.#store.watch(() => this.#changed());
    // What has changed before the browser connected, or while it was away.
    this.#send('change', '', [events]);
    this.#tick([events]);
  }

  #remove(events: EventStream): void {
    this.#streams.delete(events);
    if (this.#streams.size === 0) this.#rest();
  }

  /** Nothing runs while no page is open. */
  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#change !== null) clearTimeout(this.#change);
    this.#watch?.close();
    this.#timer = null;
    this.#change = null;
    this.#watch = null;
  }

  #changed(): void {
    this.#change ??= setTimeout(() => {
      this.#change = null;
      this.#send('change', '');
    }, SETTLE_MS).unref();
  }

  #tick(to: Iterable<EventStream> = this.#streams): void {
    this.#send('time', new Date().toISOString(), to);
  }

  /** Not awaited: a slow client loses events, and delays none of the others. */
  #send(event: string, text: string, to: Iterable<EventStream> = this.#streams): void {
    const id = String(++this.#lastId);
    for (const events of to) {
      if (events.closed) this.#remove(events);
      else void events.send(text, { event, id });
    }
  }

  #closeAll(): void {
    for (const events of this.#streams) events.close();
    this.#streams.clear();
    this.#rest();
  }
}
