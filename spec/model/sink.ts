// The output of the generators: memory of a fixed size. Bytes that do not fit are dropped, so that
// generators need no checks.

export class Sink {
  readonly bytes: Uint8Array;
  length: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.length = 0;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) return;
    this.bytes[this.length] = value;
    this.length += 1;
  }

  /** One byte for each character. */
  text(text: string): void {
    const count = Math.min(text.length, this.bytes.length - this.length);
    for (let index = 0; index < count; index++) {
      this.bytes[this.length + index] = text.charCodeAt(index);
    }
    this.length += count;
  }

  /** Whether there is room for so many bytes. */
  hasRoom(count: number): boolean {
    return this.bytes.length - this.length >= count;
  }
}
