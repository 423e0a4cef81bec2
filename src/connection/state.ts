// The state of a connection, as small states next to each other: what is read, whether the client
// has sent its end, and whether anything can be sent. Only this file changes them; each change is
// named after the event that it follows.
//
//   reading:  Head --head, body--> Body --last byte--> Done --response ended--> Head
//             Head --head, no body--> Done
//             any --close, reset, the socket broke--> Closed
//   writing:  Open --our FIN--> Shut
//             any --reset, the socket broke--> Broken
//
// Keep-alive is a state of the exchange (`exchange.keepAlive`): it is what one response says about
// the connection (RFC 9112 9.3).

import { assert } from '../base/assert.ts';

/** What the next received byte is. */
export const Reading = {
  /** Part of the head of a request, or its first byte. */
  Head: 0,
  /** Part of the body of a request. Its response may have ended already. */
  Body: 1,
  /** Not looked at: the request was read, its response has not ended. */
  Done: 2,
  /** Discarded: no further request is read. */
  Closed: 3,
} as const;
export type Reading = (typeof Reading)[keyof typeof Reading];

export const Writing = {
  Open: 0,
  /** Our side is shut (FIN); the client's end is awaited. */
  Shut: 1,
  /** The socket is broken or being closed: nothing can be sent. */
  Broken: 2,
} as const;
export type Writing = (typeof Writing)[keyof typeof Writing];

export class ConnectionState {
  #reading: Reading;
  #writing: Writing;
  #receiveEnded: boolean;

  constructor() {
    this.#reading = Reading.Head;
    this.#writing = Writing.Open;
    this.#receiveEnded = false;
  }

  /** A new client. */
  open(): void {
    this.#reading = Reading.Head;
    this.#writing = Writing.Open;
    this.#receiveEnded = false;
  }

  get reading(): Reading {
    return this.#reading;
  }

  get writing(): Writing {
    return this.#writing;
  }

  /** The client sent the end of its stream (FIN). It may still read. */
  get receiveEnded(): boolean {
    return this.#receiveEnded;
  }

  /** True when no further request is read. */
  get isClosing(): boolean {
    return this.#reading === Reading.Closed;
  }

  get isShut(): boolean {
    return this.#writing === Writing.Shut;
  }

  get isBroken(): boolean {
    return this.#writing === Writing.Broken;
  }

  /** The head of a request was read. */
  headRead(hasBody: boolean): void {
    assert(this.#reading === Reading.Head, 'a head is read where one is expected');
    this.#reading = hasBody ? Reading.Body : Reading.Done;
  }

  /** The body was read to its end, or the rest never will be. */
  bodyRead(): void {
    assert(this.#reading === Reading.Body, 'a body is read after its head');
    this.#reading = Reading.Done;
  }

  /** The response has ended, and the connection stays open. */
  responseEnded(): void {
    assert(this.#reading === Reading.Done, 'a request is read before its response ends');
    this.#reading = Reading.Head;
  }

  peerEnded(): void {
    this.#receiveEnded = true;
  }

  /** No further request is read. */
  close(): void {
    this.#reading = Reading.Closed;
  }

  /** Our side was shut. */
  shutSend(): void {
    assert(this.#writing === Writing.Open, 'our side is shut once');
    assert(this.#reading === Reading.Closed, 'our side is shut after the last request');
    this.#writing = Writing.Shut;
  }

  /** The socket broke, or is closed at once. */
  break(): void {
    this.#reading = Reading.Closed;
    this.#writing = Writing.Broken;
  }
}
