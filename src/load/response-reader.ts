// Reads the responses of a connection one after the other, split anywhere, and checks their framing
// (RFC 9112 6.3). Nothing is allocated for a response. A head that equals the one before byte by
// byte is not parsed again.

import type { HeadMemory } from './head-memory.ts';
import { ResponseChunks } from './response-chunks.ts';
import { ResponseFault } from './response-fault.ts';
import { ResponseHead } from './response-head.ts';

/** What the reader must know of a request to read its response. */
export interface RequestKind {
  /** The method is HEAD: the response has no body, whatever its head says. */
  readonly isHead: boolean;
  readonly memory: HeadMemory;
  /** The body that a response must have, or null. */
  readonly expected: Uint8Array | null;
}

/** How the body is framed. */
const NONE = 0;
const BY_LENGTH = 1;
const BY_CHUNKS = 2;
const BY_CLOSE = 3;

/** The states of the reader. */
const BEGIN = 0;
const HEAD = 1;
const BODY = 2;
const COMPLETE = 3;

export class ResponseReader {
  /** Of the complete response: its status, and whether the connection ends after it. */
  status = 0;
  closes = false;
  /** Whether its body is the expected one; true without an expectation. */
  isAsExpected = true;
  #state: number = COMPLETE;
  #kind: RequestKind | null = null;
  #body: number = NONE;
  #left = 0;
  #expectedAt = 0;
  readonly #head: ResponseHead = new ResponseHead();
  readonly #chunks: ResponseChunks = new ResponseChunks();

  get isComplete(): boolean {
    return this.#state === COMPLETE;
  }

  /** The next byte is the first of a response. */
  get isAtBegin(): boolean {
    return this.#state === BEGIN;
  }

  /** Some bytes of this response have come, and not all. */
  get isBegun(): boolean {
    return this.#state === HEAD || this.#state === BODY;
  }

  /** The next bytes are of a response to a request of this kind. */
  begin(kind: RequestKind): void {
    this.#state = BEGIN;
    this.#kind = kind;
    this.#expectedAt = 0;
    this.isAsExpected = true;
  }

  /**
   * Reads from `at` to the end of the response, or to `end`. Returns where it stopped, or a fault.
   * `view` is of the same memory as `bytes`.
   */
  read(bytes: Uint8Array, view: DataView, at: number, end: number): number {
    let next = at;
    if (this.#state === BEGIN) {
      next = this.#begin(bytes, view, at, end);
      if (next < 0 || next === end || this.isComplete) return next;
    }
    while (this.#state === HEAD) {
      next = this.#readHead(bytes, next, end);
      if (next < 0 || next === end) return next;
    }
    return this.#state === COMPLETE ? next : this.#readBody(bytes, next, end);
  }

  /** The stream ended, which completes a body by close. Returns false inside of a response. */
  end(): boolean {
    if (this.#state === BODY && this.#body === BY_CLOSE) {
      this.#finish();
      return true;
    }
    return this.#state === BEGIN || this.#state === COMPLETE;
  }

  #begin(bytes: Uint8Array, view: DataView, at: number, end: number): number {
    const memory = this.#kind?.memory;
    if (memory !== undefined && memory.length > 0 && memory.isAt(view, at, end)) {
      this.status = memory.status;
      this.closes = memory.closes;
      this.#enterBody(memory.body, memory.contentLength);
      return at + memory.length;
    }
    this.#state = HEAD;
    this.#head.clear();
    const next = this.#readHead(bytes, at, end);
    // Not after interim responses, and only a head that was received at once.
    if (memory !== undefined && next > at && (this.#state === BODY || this.#state === COMPLETE)) {
      this.#remember(memory, view, at, next);
    }
    return next;
  }

  #remember(memory: HeadMemory, view: DataView, from: number, to: number): void {
    if (!memory.keep(view, from, to)) return;
    memory.status = this.status;
    memory.closes = this.closes;
    memory.body = this.#body;
    memory.contentLength = this.#head.contentLength;
    if (this.closes) return;
    if (this.#body === NONE) memory.responseBytes = memory.length;
    if (this.#body === BY_LENGTH) memory.responseBytes = memory.length + memory.contentLength;
  }

  #readHead(bytes: Uint8Array, at: number, end: number): number {
    const head = this.#head;
    const next = head.read(bytes, at, end);
    if (next < 0 || !head.isDone) return next;
    if (head.status === 101) return ResponseFault.Switched;
    if (head.status < 200) {
      head.clear();
      return next;
    }
    const body = bodyOf(head, this.#kind?.isHead === true);
    if (body < 0) return body;
    this.status = head.status;
    const lasts = head.minor === 1 ? !head.saysClose : head.saysKeepAlive && !head.saysClose;
    this.closes = !lasts || body === BY_CLOSE;
    this.#enterBody(body, head.contentLength);
    return next;
  }

  #enterBody(body: number, contentLength: number): void {
    this.#body = body;
    this.#left = contentLength;
    if (body === NONE || (body === BY_LENGTH && contentLength === 0)) {
      this.#finish();
      return;
    }
    if (body === BY_CHUNKS) this.#chunks.clear();
    this.#state = BODY;
  }

  #finish(): void {
    this.#state = COMPLETE;
    const expected = this.#kind?.expected ?? null;
    if (expected !== null && this.#expectedAt !== expected.length) this.isAsExpected = false;
  }

  #readBody(bytes: Uint8Array, at: number, end: number): number {
    switch (this.#body) {
      case BY_LENGTH: {
        const next = Math.min(end, at + this.#left);
        this.#compare(bytes, at, next);
        this.#left -= next - at;
        if (this.#left === 0) this.#finish();
        return next;
      }
      case BY_CHUNKS: {
        let next = at;
        while (next >= 0 && next < end && !this.#chunks.isDone) {
          next = this.#chunks.read(bytes, next, end);
          if (next >= 0) this.#compare(bytes, this.#chunks.from, this.#chunks.to);
        }
        if (this.#chunks.isDone) this.#finish();
        return next;
      }
      default:
        this.#compare(bytes, at, end);
        return end;
    }
  }

  #compare(bytes: Uint8Array, from: number, to: number): void {
    const expected = this.#kind?.expected ?? null;
    if (expected === null || !this.isAsExpected) return;
    let at = this.#expectedAt;
    for (let index = from; index < to; index++) {
      if (bytes[index] !== expected[at]) {
        this.isAsExpected = false;
        return;
      }
      at += 1;
    }
    this.#expectedAt = at;
  }
}

/** The framing of the body by RFC 9112 6.3 as a client sees it, or a fault. */
function bodyOf(head: ResponseHead, isHead: boolean): number {
  if (head.hasCoding && head.contentLength >= 0) return ResponseFault.Both;
  if (isHead || head.status === 204 || head.status === 304) return NONE;
  if (head.hasCoding) {
    // HTTP/1.0 has no transfer codings: the framing of such a response is faulty (RFC 9112 6.1).
    if (head.minor === 0) return ResponseFault.Coding;
    return head.isChunked ? BY_CHUNKS : BY_CLOSE;
  }
  return head.contentLength >= 0 ? BY_LENGTH : BY_CLOSE;
}
