// The file with the process id of the server's main process. claim() finds all errors before
// anything is started; publish() creates the file when the server listens.

import * as fs from 'node:fs';
import { resolve } from 'node:path';
import { ServiceError } from './service-error.ts';

/** The calls on files; tests pass in some that fail. */
export type Files = Pick<
  typeof fs,
  'readFileSync' | 'renameSync' | 'rmSync' | 'statSync' | 'writeFileSync'
>;

/** A longer file is not a pid file. */
const BYTES_MAX = 32;

const NO_ID = 'does not contain a process id; remove it';

export class PidFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #pid: number;
  readonly #files: Files;

  constructor(path: string, pid: number = process.pid, files: Files = fs) {
    this.#files = files;
    this.#path = resolve(path);
    this.#temporary = `${this.#path}.${pid}.tmp`;
    this.#pid = pid;
  }

  /** Throws ServiceError when another server uses the file, or it cannot be written. */
  claim(): void {
    this.#check();
    try {
      // A dead process with the same id may have left it. It is created anew, never followed.
      this.#files.rmSync(this.#temporary, { force: true });
      this.#files.writeFileSync(this.#temporary, `${this.#pid}\n`, { flag: 'wx', mode: 0o644 });
    } catch (error) {
      // A full disk leaves an empty file.
      this.#removeTemporary();
      throw this.#fault(error);
    }
  }

  /** Renames the file to its path. Throws ServiceError. */
  publish(): void {
    try {
      // Another server may have started since.
      this.#check();
      this.#files.renameSync(this.#temporary, this.#path);
    } catch (error) {
      this.remove();
      throw this.#fault(error);
    }
  }

  /** Removes the file, unless it names another process. */
  remove(): void {
    this.#removeTemporary();
    try {
      if (pidIn(this.#files.readFileSync(this.#path, 'utf8')) === this.#pid)
        this.#files.rmSync(this.#path);
    } catch {
      // It is gone already, or the folder is no longer writable.
    }
  }

  #removeTemporary(): void {
    try {
      this.#files.rmSync(this.#temporary, { force: true });
    } catch {
      // The folder is no longer writable.
    }
  }

  #check(): void {
    let text: string;
    try {
      const stat = this.#files.statSync(this.#path, { throwIfNoEntry: false });
      if (stat === undefined) return;
      if (!stat.isFile()) throw this.#conflict('is not a regular file; remove it');
      if (stat.size > BYTES_MAX) throw this.#conflict(NO_ID);
      text = this.#files.readFileSync(this.#path, 'utf8');
    } catch (error) {
      throw this.#fault(error);
    }
    if (text.trim() === '') return;
    const pid = pidIn(text);
    if (pid === 0) throw this.#conflict(NO_ID);
    if (pid !== this.#pid && isAlive(pid)) {
      throw this.#conflict(`names process ${pid}, which is running; stop it`, 'EEXIST');
    }
  }

  #conflict(why: string, code = 'EINVAL'): ServiceError {
    return new ServiceError(`pid_file: ${this.#path} ${why}, or choose another path`, code);
  }

  #fault(error: unknown): ServiceError {
    if (error instanceof ServiceError) return error;
    const { code = 'EIO' } = error as { code?: string };
    const why = code === 'ENOENT' ? ': no such folder; create it' : '';
    return new ServiceError(`pid_file: ${this.#path} cannot be written${why} (${code})`, code);
  }
}

/** 0 when `text` is not a process id. */
function pidIn(text: string): number {
  const line = text.trim();
  return /^[1-9][0-9]{0,9}$/.test(line) ? Number(line) : 0;
}

/** A process that we may not signal is running too. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM';
  }
}
