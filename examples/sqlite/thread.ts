// The thread of a database connection: runs reads one by one, and writes in batches, each in one
// transaction, so that writes that wait together share one wait for the disk.

import { parentPort, workerData } from 'node:worker_threads';
import { type Call, CLOSE, type Failure, type Reply, type ThreadOptions } from './messages.ts';
import { type Database, isBusy, openDatabase } from './open.ts';

type Operation = (database: Database, argument: unknown) => unknown;

/** Writes of one transaction; other processes wait that long for their turn. */
const BATCH_MAX = 64;

if (parentPort === null) throw new Error('thread.ts is started as a thread');
const port = parentPort;
const { path, module, kind } = workerData as ThreadOptions;
const operations: Readonly<Record<string, Operation>> = (await import(module))[kind];
const database = await openDatabase(path);
if (kind === 'reads') database.exec('PRAGMA query_only = ON');
const run = kind === 'reads' ? runReads : runWrites;

let waiting: Call[] = [];
let isClosing = false;

port.on('message', (message: Call | typeof CLOSE) => {
  if (message === CLOSE) isClosing = true;
  else waiting.push(message);
  // All messages that have arrived are taken before this runs.
  if (isClosing || waiting.length === 1) setImmediate(next);
});

function next(): void {
  if (waiting.length > 0) {
    const batch = waiting.slice(0, BATCH_MAX);
    waiting = waiting.slice(BATCH_MAX);
    port.postMessage(run(batch));
    if (waiting.length > 0) setImmediate(next);
  }
  if (!isClosing || waiting.length > 0 || !database.isOpen) return;
  database.close();
  port.close();
}

function runReads(batch: readonly Call[]): Reply[] {
  return batch.map((call) => {
    try {
      return { id: call.id, value: apply(call) };
    } catch (error) {
      return { id: call.id, failure: failureOf(error) };
    }
  });
}

/** No reply says that a write succeeded before the transaction is on the disk. */
function runWrites(batch: readonly Call[]): Reply[] {
  try {
    database.exec('BEGIN IMMEDIATE');
    const replies = batch.map(runWrite);
    database.exec('COMMIT');
    return replies;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    const failure = failureOf(error);
    return batch.map(({ id }) => ({ id, failure }));
  }
}

/** A write that fails undoes its own changes only. */
function runWrite(call: Call): Reply {
  database.exec('SAVEPOINT one');
  try {
    const value = apply(call);
    database.exec('RELEASE one');
    return { id: call.id, value };
  } catch (error) {
    // A full disk ends the whole transaction: then this throws, and all of the batch fails.
    database.exec('ROLLBACK TO one');
    database.exec('RELEASE one');
    return { id: call.id, failure: failureOf(error) };
  }
}

function apply({ name, argument }: Call): unknown {
  const operation = operations[name];
  if (operation === undefined) throw new Error(`${module} has no operation ${name}`);
  return operation(database, argument);
}

function failureOf(error: unknown): Failure {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  return { message, stack, isBusy: isBusy(error) };
}
