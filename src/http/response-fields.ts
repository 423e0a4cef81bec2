// The fields of a response that a handler sets: three parallel lists that are reused. Names and
// values are checked here, once, so that no value can split a response.

import { RESPONSE_FIELD_BYTES_MAX, RESPONSE_FIELDS_MAX } from '../base/fixed-limits.ts';
import { shown } from '../base/shown.ts';
import { TOKEN } from './grammar.ts';

/** Checked names -> lower case. Bounded, for programs that generate names. */
const CHECKED_MAX = 512;
const checked = new Map<string, string>();

/** The lower-case form of a field name; throws a TypeError unless it is a token (RFC 9110 5.1). */
export function checkedName(name: string): string {
  const known = checked.get(name);
  if (known !== undefined) return known;
  if (typeof name !== 'string' || !isToken(name)) {
    throw new TypeError(`a field name must be an HTTP token, given ${JSON.stringify(name)}`);
  }
  const lower = name.toLowerCase();
  if (checked.size < CHECKED_MAX) checked.set(name, lower);
  return lower;
}

/** The value of a field as text; throws a TypeError for what is neither text nor a number. */
export function fieldText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  const hint = Array.isArray(value) ? '; use appendHeader() for each of several' : '';
  throw new TypeError(`the value of a field is text or a number, given ${shown(value)}${hint}`);
}

/** True for an RFC 9110 token. */
export function isToken(text: string): boolean {
  if (text.length === 0) return false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 127 || TOKEN[code] === 0) return false;
  }
  return true;
}

/** Throws a TypeError for a value that a field line cannot contain (RFC 9110 5.5). */
export function checkValue(name: string, value: string): void {
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index);
    if ((code < 32 && code !== 9) || code === 127 || code > 255) {
      const shown = `character ${code} at ${index}`;
      throw new TypeError(`the value of field ${name} cannot contain ${shown}`);
    }
  }
}

/** Throws a RangeError above the limit. Each character of a field is one byte of the head. */
function checkBytes(characters: number): void {
  if (characters <= RESPONSE_FIELD_BYTES_MAX) return;
  throw new RangeError(`the fields of a response have ${RESPONSE_FIELD_BYTES_MAX} bytes at most`);
}

/**
 * Vary only grows: when it omits a field that the response depends on, a cache sends the response
 * to the wrong clients. So set() adds members to it, and remove() keeps it.
 */
const VARY = 'vary';
const ONE_MEMBER = /^[\w-]+$/;

/** The members of a list, without empty ones (RFC 9110 5.6.1). */
export function members(value: string): string[] {
  return value
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}

export class ResponseFields {
  readonly names: string[];
  readonly lowerNames: string[];
  readonly values: string[];
  count: number;
  /** Characters of all names and values, for headBytesBound(). */
  characters: number;
  hasDate: boolean;

  constructor() {
    // Room for a usual response: V8 makes room for 17 where an empty array gets its first element.
    this.names = ['', '', '', ''];
    this.lowerNames = ['', '', '', ''];
    this.values = ['', '', '', ''];
    this.count = 0;
    this.characters = 0;
    this.hasDate = false;
  }

  reset(): void {
    this.count = 0;
    this.characters = 0;
    this.hasDate = false;
  }

  /** The index of the first field of this lower-case name, or -1. */
  find(lowerName: string): number {
    for (let index = 0; index < this.count; index++) {
      if (this.lowerNames[index] === lowerName) return index;
    }
    return -1;
  }

  get(lowerName: string): string | undefined {
    const index = this.find(lowerName);
    return index < 0 ? undefined : this.values[index];
  }

  /**
   * Sets a field and removes others of that name (but see VARY). The caller has checked the name.
   */
  set(name: string, lowerName: string, value: string): void {
    checkValue(name, value);
    const index = this.find(lowerName);
    if (index < 0) {
      this.#checkRoom(name.length + value.length);
      this.#push(name, lowerName, value);
      return;
    }
    if (lowerName === VARY) {
      this.#alsoVary(name, value);
      return;
    }
    const growth = value.length - this.values[index].length;
    checkBytes(this.characters + growth);
    this.characters += growth;
    this.values[index] = value;
    this.#removeFrom(index + 1, lowerName);
  }

  /**
   * As set(), for a value of the server, which is valid. It is exempt from the limits, so that a
   * response with as many fields as a handler may set can be sent, and an error response, too.
   */
  setKnown(name: string, lowerName: string, value: string): void {
    const index = this.find(lowerName);
    if (index < 0) this.#push(name, lowerName, value);
    else this.set(name, lowerName, value);
  }

  append(name: string, lowerName: string, value: string): void {
    checkValue(name, value);
    if (lowerName === VARY) {
      this.#alsoVary(name, value);
      return;
    }
    this.#checkRoom(name.length + value.length);
    this.#push(name, lowerName, value);
  }

  /** Removes all fields of a name except Vary: see VARY. */
  remove(lowerName: string): void {
    if (lowerName === VARY) return;
    this.#removeFrom(0, lowerName);
    if (lowerName === 'date') this.hasDate = false;
  }

  /** Adds a field line with those members of a Vary value that no earlier line has. */
  #alsoVary(name: string, value: string): void {
    if (ONE_MEMBER.test(value) && this.find(VARY) < 0) {
      this.#checkRoom(name.length + value.length);
      this.#push(name, VARY, value);
      return;
    }
    const known = new Set<string>();
    for (let index = 0; index < this.count; index++) {
      if (this.lowerNames[index] !== VARY) continue;
      for (const member of members(this.values[index])) known.add(member.toLowerCase());
    }
    const fresh: string[] = [];
    for (const member of members(value)) {
      if (known.has(member.toLowerCase())) continue;
      known.add(member.toLowerCase());
      fresh.push(member);
    }
    if (fresh.length === 0) return;
    const text = fresh.join(', ');
    this.#checkRoom(name.length + text.length);
    this.#push(name, VARY, text);
  }

  /** Throws a RangeError when one more field of so many characters would exceed a limit. */
  #checkRoom(characters: number): void {
    if (this.count >= RESPONSE_FIELDS_MAX) {
      throw new RangeError(`a response has ${RESPONSE_FIELDS_MAX} fields at most`);
    }
    checkBytes(this.characters + characters);
  }

  #push(name: string, lowerName: string, value: string): void {
    const index = this.count;
    this.names[index] = name;
    this.lowerNames[index] = lowerName;
    this.values[index] = value;
    this.count = index + 1;
    this.characters += name.length + value.length;
    if (lowerName === 'date') this.hasDate = true;
  }

  #removeFrom(from: number, lowerName: string): void {
    let kept = from;
    for (let index = from; index < this.count; index++) {
      if (this.lowerNames[index] === lowerName) {
        this.characters -= this.names[index].length + this.values[index].length;
        continue;
      }
      this.names[kept] = this.names[index];
      this.lowerNames[kept] = this.lowerNames[index];
      this.values[kept] = this.values[index];
      kept += 1;
    }
    this.count = kept;
  }
}
