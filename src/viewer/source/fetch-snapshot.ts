// Fetches a snapshot of metrics from a server. Every problem is one line that says what to do.

import { Agent, get, type IncomingMessage } from 'node:http';
import { FETCH_MS_MAX, SNAPSHOT_BYTES_MAX } from '../limits.ts';
import { parseSnapshot, type Snapshot } from '../snapshot.ts';

/** A snapshot cannot be had: the message is one line, without the URL. */
export class FetchProblem extends Error {}

export interface Fetched {
  readonly snapshot: Snapshot;
  /** As the server sent it. */
  readonly text: string;
}

export class SnapshotSource {
  readonly url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: URL) {
    this.url = url;
  }

  /** Rejects with a FetchProblem. */
  async fetch(): Promise<Fetched> {
    const text = await this.#read();
    const snapshot = parseSnapshot(text);
    if (typeof snapshot === 'string') throw new FetchProblem(`${snapshot}; ${IS_IT_VIBING}`);
    return { snapshot, text };
  }

  close(): void {
    this.#agent.destroy();
  }

  #read(): Promise<string> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(FETCH_MS_MAX);
      const fail = (error: unknown) => reject(problemOf(error, signal));
      const headers = { accept: 'application/json' };
      const request = get(this.url, { agent: this.#agent, headers, signal }, (response) => {
        const problem = responseProblem(response);
        if (problem === null) readBody(response).then(resolve, fail);
        else {
          request.destroy();
          reject(problem);
        }
      });
      request.on('error', fail);
    });
  }
}

/** A server sends 404 to clients of other machines, too. */
const NO_METRICS =
  '404: no metrics there for this client: start it with --metrics; they are for its own machine ' +
  'only, so from another one use "ssh -L 8080:127.0.0.1:8080 host", or metrics_port';
const IS_IT_VIBING = 'is it the path of the metrics of a Vibing server?';

function responseProblem({ statusCode = 0, headers }: IncomingMessage): FetchProblem | null {
  if (statusCode === 404) return new FetchProblem(NO_METRICS);
  if (statusCode === 401 || statusCode === 403) {
    return new FetchProblem(
      `${statusCode}: a login is needed there, which is not supported: ask the server itself, on ` +
        'its own machine or through ssh -L',
    );
  }
  if (statusCode !== 200) return new FetchProblem(`the response has status ${statusCode}, not 200`);
  const type = headers['content-type'] ?? 'no type';
  if (/^application\/json\b/i.test(type)) return null;
  const shown = JSON.stringify(type.slice(0, TYPE_CHARACTERS_MAX));
  return new FetchProblem(`the response is ${shown}, not JSON; ${IS_IT_VIBING}`);
}

const TYPE_CHARACTERS_MAX = 60;

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += chunk.length;
    if (bytes > SNAPSHOT_BYTES_MAX) {
      throw new FetchProblem(`the snapshot has more than ${SNAPSHOT_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function problemOf(error: unknown, signal: AbortSignal): FetchProblem {
  if (error instanceof FetchProblem) return error;
  if (signal.aborted) return new FetchProblem(`no response within ${FETCH_MS_MAX / 1000} s`);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new FetchProblem(CODES[code] ?? `${error instanceof Error ? error.message : error}`);
}

const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: no server listens there',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'the name server does not respond',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the connection timed out',
  EADDRNOTAVAIL: 'no local port left',
};
