// The grammar of chunk extensions (RFC 9112 7.1.1), one byte at a time. This server ignores their
// meaning, but lenient parsing of them has made request smuggling possible in other servers.

import { CR, EQUALS, LF, QUOTE, SEMICOLON, SP, TAB } from '../base/ascii.ts';
import { Fault } from './fault.ts';
import { QUOTED_TEXT, TOKEN } from './grammar.ts';

/** States of the machine, named by what it has read. */
export const ExtensionState = {
  /** White space after the size or a value: a ';' has to follow. */
  Space: 0,
  Semicolon: 1,
  Name: 2,
  NameSpace: 3,
  Equals: 4,
  Value: 5,
  Quoted: 6,
  Backslash: 7,
  QuotedEnd: 8,
  /** The CR that ends the line. */
  LineEnd: 9,
} as const;

const BACKSLASH = 0x5c;

/** The state after one more byte, or a Fault. */
export function nextExtensionState(state: number, byte: number): number {
  switch (state) {
    case ExtensionState.Space:
      return stateAfterSpace(byte);
    case ExtensionState.Semicolon:
      if (TOKEN[byte] !== 0) return ExtensionState.Name;
      return isSpace(byte) ? state : faultFor(byte);
    case ExtensionState.Name:
      if (TOKEN[byte] !== 0) return state;
      if (byte === EQUALS) return ExtensionState.Equals;
      return isSpace(byte) ? ExtensionState.NameSpace : afterPart(byte);
    case ExtensionState.NameSpace:
      if (byte === EQUALS) return ExtensionState.Equals;
      return isSpace(byte) ? state : stateAfterSpace(byte);
    case ExtensionState.Equals:
      if (TOKEN[byte] !== 0) return ExtensionState.Value;
      if (byte === QUOTE) return ExtensionState.Quoted;
      return isSpace(byte) ? state : faultFor(byte);
    case ExtensionState.Value:
      return TOKEN[byte] !== 0 ? state : afterPart(byte);
    case ExtensionState.Quoted:
      if (QUOTED_TEXT[byte] !== 0) return state;
      if (byte === BACKSLASH) return ExtensionState.Backslash;
      return byte === QUOTE ? ExtensionState.QuotedEnd : faultFor(byte);
    case ExtensionState.Backslash:
      if (QUOTED_TEXT[byte] !== 0) return ExtensionState.Quoted;
      return byte === QUOTE || byte === BACKSLASH ? ExtensionState.Quoted : faultFor(byte);
    default:
      return afterPart(byte);
  }
}

/** The state after a byte directly behind a name or a value: a CR, or what may follow a size. */
function afterPart(byte: number): number {
  return byte === CR ? ExtensionState.LineEnd : stateAfterSpace(byte);
}

/** The state after a byte behind a size, or behind the white space after it. */
function stateAfterSpace(byte: number): number {
  if (byte === SEMICOLON) return ExtensionState.Semicolon;
  if (isSpace(byte)) return ExtensionState.Space;
  return byte === LF ? Fault.BareLineFeed : Fault.BadChunk;
}

function faultFor(byte: number): number {
  return byte === LF ? Fault.BareLineFeed : Fault.BadChunk;
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === TAB;
}
