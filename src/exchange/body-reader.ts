// What reads a body that has arrived, where it lies.

/** Reads received memory, which it must not keep. */
export type BodyReader = (bytes: Uint8Array, from: number, to: number) => unknown;

/** What Transport.readNow() returns when the body has not arrived. */
export const NOT_ARRIVED: unique symbol = Symbol('not arrived');
