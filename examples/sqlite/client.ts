// A database for handlers: its work is done by two threads, one for reads and one for writes, so
// that no query and no wait for the disk stops the event loop of the server.

import { Worker } from 'node:worker_threads';
import { HttpError } from 'vibing';
import { type Call, CLOSE, type Failure, type Reply, type ThreadOptions } from './messages.ts';
import { createTables, type Database, openDatabase, type Tables } from './open.ts';

/** Clients that obey it come back after a second. */
const SOON = { headers: { 'Retry-After': 1 } } as const;

/** Calls that wait in a thread; further ones get 503 at once, so that no queue grows for ever. */
const CALLS_MAX = 1_000;

type Operations = Readonly<Record<string, (database: Database, argument: never) => unknown>>;

/** What a module of operations exports. Arguments and results are copied between threads. */
export interface Store {
  /** Operations that change nothing. */
  readonly reads: Operations;
  /** Each is a transaction: all of its changes are made, or none. */
  readonly writes: Operations;
}

type Argument<S, K extends keyof S> = S[K] extends (
  database: Database,
  argument: infer A,
) => unknown
  ? A
  : never;
type Result<S, K extends keyof S> = S[K] extends (...given: never) => infer R ? R : never;

export interface Opened<S extends Store> {
  read<K extends keyof S['reads'] & string>(
    name: K,
    argument: Argument<S['reads'], K>,
  ): Promise<Result<S['reads'], K>>;
  /** Resolves when the change is on the disk. */
  write<K extends keyof S['writes'] & string>(
    name: K,
    argument: Argument<S['writes'], K>,
  ): Promise<Result<S['writes'], K>>;
  /** Finishes the calls that wait. */
  close(): Promise<void>;
}

export interface OpenOptions {
  /** The database file. */
  readonly path: string;
  /** The URL of the module of operations. */
  readonly module: string;
}

/** Creates the tables in a new file. Rejects if it is no database of this program. */
export async function prepareFile(path: string, tables: Tables): Promise<void> {
  const database = await openDatabase(path);
  try {
    createTables(database, tables);
  } finally {
    database.close();
  }
}

/** Starts the threads. `S` is the type of the module. */
export function openStore<S extends Store>({ path, module }: OpenOptions): Opened<S> {
  const reads = new Thread({ path, module, kind: 'reads' });
  const writes = new Thread({ path, module, kind: 'writes' });
  return {
    read: (name, argument) => reads.call(name, argument) as Promise<never>,
    write: (name, argument) => writes.call(name, argument) as Promise<never>,
    close: async () => void (await Promise.all([reads.close(), writes.close()])),
  };
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

class Thread {
  readonly #options: ThreadOptions;
  readonly #waiting = new Map<number, Waiting>();
  /** A thread that died is started again by the next call. */
  #worker: Worker | null = null;
  #lastId = 0;

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#start();
  }

  call(name: string, argument: unknown): Promise<unknown> {
    if (this.#waiting.size >= CALLS_MAX) {
      throw new HttpError(503, 'the database has too much to do; try again in a second', SOON);
    }
    const worker = this.#worker ?? this.#start();
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, name, argument } satisfies Call);
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    worker.postMessage(CLOSE);
    await ended;
  }

  #start(): Worker {
    const worker = new Worker(new URL('./thread.js', import.meta.url), {
      workerData: this.#options,
    });
    worker.on('message', (replies: readonly Reply[]) => {
      for (const reply of replies) this.#settle(reply);
    });
    worker.on('error', (error) => this.#stopped(worker, error));
    worker.on('exit', () => this.#stopped(worker, new Error('its thread has ended')));
    this.#worker = worker;
    return worker;
  }

  #settle(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('failure' in reply) waiting?.reject(errorOf(reply.failure));
    else waiting?.resolve(reply.value);
  }

  /** Whether the calls that wait were done is unknown. */
  #stopped(worker: Worker, cause: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) {
      reject(new Error('the database stopped', { cause }));
    }
    this.#waiting.clear();
  }
}

function errorOf({ message, stack, isBusy }: Failure): Error {
  if (isBusy) return new HttpError(503, 'the database is busy; try again in a second', SOON);
  const error = new Error(message);
  error.stack = stack;
  return error;
}
