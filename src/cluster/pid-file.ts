// The file that names the server's main process. What can go wrong with it goes wrong in claim(),
// before anything is started; it appears under its name when the server listens.

import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ServiceError } from './service-error.ts';

/** No process number is longer; what is longer is no file of this kind. */
const BYTES_MAX = 32;

export class PidFile {
  readonly #path: string;
  readonly #written: string;
  readonly #pid: number;

  constructor(path: string, pid: number = process.pid) {
    this.#path = resolve(path);
    this.#written = `${this.#path}.${pid}.tmp`;
    this.#pid = pid;
  }

  /** Throws ServiceError when another server has it, or it could not be written. */
  claim(): void {
    this.#check();
    try {
      // Whoever left it behind had the same number and is gone. It is made anew, never followed.
      rmSync(this.#written, { force: true });
      writeFileSync(this.#written, `${this.#pid}\n`, { flag: 'wx', mode: 0o644 });
    } catch (error) {
      throw this.#fault(error);
    }
  }

  /** Gives the file its name. Throws ServiceError. */
  publish(): void {
    try {
      // Another server may have come up since.
      this.#check();
      renameSync(this.#written, this.#path);
    } catch (error) {
      this.remove();
      throw this.#fault(error);
    }
  }

  /** Removes what is ours. A file that names another process is left alone. */
  remove(): void {
    try {
      rmSync(this.#written, { force: true });
      if (numberIn(readFileSync(this.#path, 'utf8')) === this.#pid) rmSync(this.#path);
    } catch {
      // It is gone already, or the folder is no longer ours to change.
    }
  }

  #check(): void {
    let text: string;
    try {
      const stat = statSync(this.#path, { throwIfNoEntry: false });
      if (stat === undefined) return;
      if (!stat.isFile()) throw this.#refusal('is no ordinary file');
      if (stat.size > BYTES_MAX) throw this.#refusal('holds something else than a process number');
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      throw this.#fault(error);
    }
    if (text.trim() === '') return;
    const pid = numberIn(text);
    if (pid === 0) throw this.#refusal('holds something else than a process number');
    if (pid !== this.#pid && isAlive(pid)) {
      throw this.#refusal(`names process ${pid}, which is alive`, 'EEXIST');
    }
  }

  #refusal(why: string, code = 'EINVAL'): ServiceError {
    return new ServiceError(`pid_file: ${this.#path} ${why}`, code);
  }

  #fault(error: unknown): ServiceError {
    if (error instanceof ServiceError) return error;
    const { code = 'EIO' } = error as { code?: string };
    return new ServiceError(`pid_file: ${this.#path} cannot be written (${code})`, code);
  }
}

/** 0 when `text` is no process number. */
function numberIn(text: string): number {
  const line = text.trim();
  return /^[1-9][0-9]{0,9}$/.test(line) ? Number(line) : 0;
}

/** A process that we may not signal is alive too. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
