// A socket of node:net whose events come when a test says so.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { ERRNO } from '../../../src/base/errno.ts';

/** An error of Node. */
export function errorOf(code: string): Error {
  return Object.assign(new Error(code), { code, errno: -(ERRNO as Record<string, number>)[code] });
}

/** A socket of Node whose events come when a test says so. */
export class ScriptedSocket extends EventEmitter {
  destroyed = false;
  connecting = false;
  writableEnded = false;
  writableFinished = false;
  isReading = false;
  readonly writes: ((error?: Error) => void)[] = [];
  /** The sizes of all writes, and how it was ended. */
  readonly calls: string[] = [];
  remoteAddress: string | undefined = undefined;
  remotePort: number | undefined = undefined;

  write(bytes: Uint8Array, written?: (error?: Error) => void): boolean {
    assert.ok(!this.destroyed && !this.writableEnded, 'it takes bytes');
    this.calls.push(`write ${bytes.length}`);
    if (written !== undefined) this.writes.push(written);
    return false;
  }

  resume(): void {
    this.isReading = true;
  }

  pause(): void {
    this.isReading = false;
  }

  end(): void {
    this.calls.push('end');
    this.writableEnded = true;
  }

  resetAndDestroy(): void {
    this.calls.push('reset');
    this.destroy();
  }

  /** As Node: what is not written fails, then 'error' comes if there is one, then 'close'. */
  destroy(error?: Error): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.calls.push('destroy');
    for (const written of this.writes.splice(0)) written(error ?? errorOf('ECONNRESET'));
    if (error !== undefined) this.emit('error', error);
    this.emit('close');
  }
}
