// Fetches a snapshot of metrics from a server. Every problem is one line that says what to do.

import * as http from 'node:http';
import * as https from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { FETCH_MS_MAX, SNAPSHOT_BYTES_MAX } from '../limits.ts';
import { parseSnapshot, type Snapshot } from '../snapshot.ts';
import { authorities } from './authorities.ts';

/** A snapshot cannot be had: the message is one line, without the URL. */
export class FetchProblem extends Error {
  override readonly name = 'FetchProblem';
}

export interface Fetched {
  readonly snapshot: Snapshot;
  /** As the server sent it. */
  readonly text: string;
}

/** How a server is asked. */
export interface AccessOptions {
  /** Further authorities whose certificates are accepted, as PEM. */
  readonly ca?: string;
  /** Accepts any certificate: then the server may be another one. */
  readonly insecure?: boolean;
  /** The field Authorization, such as 'Bearer TOKEN'. */
  readonly authorization?: string;
}

export class SnapshotSource {
  readonly url: URL;
  readonly #agent: http.Agent;
  readonly #get: typeof http.get;
  readonly #headers: Record<string, string>;

  constructor(url: URL, { authorization, ca, insecure = false }: AccessOptions = {}) {
    this.url = url;
    const keep = { keepAlive: true, maxSockets: 1 };
    const isTls = url.protocol === 'https:';
    this.#get = isTls ? https.get : http.get;
    this.#agent = isTls
      ? new https.Agent({ ...keep, ca: authorities(ca ?? null), rejectUnauthorized: !insecure })
      : new http.Agent(keep);
    this.#headers = { accept: 'application/json', 'accept-encoding': 'gzip' };
    if (authorization !== undefined) this.#headers['authorization'] = authorization;
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
      const options = { agent: this.#agent, headers: this.#headers, signal };
      const request = this.#get(this.url, options, (response) => {
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
  'only, so from another one use a tunnel, as "ssh -L 8080:127.0.0.1:8080 host", or metrics_port';
const IS_IT_VIBING = 'is it the path of the metrics of a Vibing server?';

function responseProblem(response: http.IncomingMessage): FetchProblem | null {
  const { statusCode = 0, headers } = response;
  if (statusCode === 404) return new FetchProblem(NO_METRICS);
  if (statusCode === 401 || statusCode === 403) {
    return new FetchProblem(
      `${statusCode}: a login is needed there: set VIBING_METRICS_AUTHORIZATION to the value of ` +
        "the field Authorization, such as 'Bearer TOKEN'",
    );
  }
  if (statusCode !== 200) return new FetchProblem(`the response has status ${statusCode}, not 200`);
  const type = headers['content-type'] ?? 'no type';
  if (/^application\/json\b/i.test(type)) return null;
  const shown = JSON.stringify(type.slice(0, TYPE_CHARACTERS_MAX));
  return new FetchProblem(`the response is ${shown}, not JSON; ${IS_IT_VIBING}`);
}

const TYPE_CHARACTERS_MAX = 60;

async function readBody(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of decoded(response)) {
    bytes += chunk.length;
    if (bytes > SNAPSHOT_BYTES_MAX) {
      throw new FetchProblem(`the snapshot has more than ${SNAPSHOT_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** What is compressed is bounded by its length as it is read. */
function decoded(response: http.IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  // Its reader sees the error.
  return pipeline(response, createGunzip(), () => {});
}

function problemOf(error: unknown, signal: AbortSignal): FetchProblem {
  if (error instanceof FetchProblem) return error;
  if (signal.aborted) return new FetchProblem(`no response within ${FETCH_MS_MAX / 1000} s`);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new FetchProblem(CODES[code] ?? `${error instanceof Error ? error.message : error}`);
}

const UNKNOWN_AUTHORITY =
  'its certificate is of an unknown authority: give its certificate with --ca FILE (option ca)';

const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: no server listens there',
  ECONNRESET: 'the connection was reset',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'the name server does not respond',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the connection timed out',
  EADDRNOTAVAIL: 'no local port left',
  EPROTO: 'no TLS is spoken there: use http://',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS is spoken there: use http://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no TLS is spoken there: use http://',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_AUTHORITY,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'its certificate has expired: it needs a new one',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: compare the clocks of both machines',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
};
