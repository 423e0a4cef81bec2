// Text for a standard stream, gathered so that a busy server makes one write of many lines.

import type { Writable } from 'node:stream';

/** Gathered text is written at once beyond this many characters. */
const GATHER_CHARACTERS = 16 * 1024;

export class LineWriter {
  readonly #stream: Writable;
  #text = '';
  #scheduled = false;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= GATHER_CHARACTERS) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.flush());
    }
  }

  flush(): void {
    this.#scheduled = false;
    const text = this.#text;
    this.#text = '';
    if (text !== '') this.#stream.write(text);
  }
}
