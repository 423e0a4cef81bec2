// Hot: runs for every file look-up. Measured by perf/micro/static.ts.
// Asynchronous I/O of the operating system: files, compression and digests in Node's thread pool.

import * as fs from 'node:fs';
import { constants, promises } from 'node:fs';
import { builtInModule } from '../base/built-in-module.ts';
import { ERRNO, faultOf } from '../base/errno.ts';
import {
  type AsyncIo,
  type ContentCoding,
  type ContentStream,
  type DirectoryEntry,
  type DirectoryName,
  FileKind,
  type FileStat,
  isFault,
  type OpenFile,
} from './async-io.ts';
import { codings, compressNow, decoderOf, encoderOf } from './codings.ts';
import { type DropListener, dropText } from './line-writer.ts';
import { appendToLog, flushLogs, logLinesDropped } from './log-files.ts';
import { type StandardStreams, standardStreams } from './standard-streams.ts';

const { EBADF, EIO, ENOENT, ENXIO, EACCES, EISDIR, ENOSYS } = ERRNO;

/**
 * A stat() of a file that the system has in memory takes 3 microseconds. One that took this long
 * read from a disk or a network: for a while, statNow() then does not block the event loop.
 */
const SLOW_STAT_MS = 2;
const SLOW_STAT_PAUSE_MS = 1000;

const NO_THROW = { throwIfNoEntry: false } as const;

/** Names of a directory that the system returns at once: some 20 KB of its memory. */
const NAMES_AT_ONCE = 256;

/** Entries of a directory checked together: a guess, four times the threads of the pool. */
const STATS_AT_ONCE = 16;

/**
 * A FIFO without a writer must not block a thread, a terminal must not become the controlling one.
 * Windows has neither flag. Node adds close-on-exec.
 */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

/** A new file, also where a link has its name. */
const CREATE_FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
const CREATE_MODE = 0o600;

const SUBTLE_NAME = { sha1: 'SHA-1', sha256: 'SHA-256' } as const;

export class NodeAsyncIo implements AsyncIo {
  readonly #streams: StandardStreams = standardStreams();
  readonly #notice: (text: string) => void;
  readonly #outputDropped: DropListener;
  readonly #errorDropped: DropListener;
  #statPausedUntilMs = 0;
  readonly #directories: Map<number, fs.Dir> = new Map<number, fs.Dir>();
  #lastDirectory = 0;

  /** `notice` is called with a text about dropped lines; it may print it. */
  constructor(notice: (text: string) => void = () => {}) {
    this.#notice = notice;
    this.#outputDropped = (lines, code) => notice(dropText('standard output', lines, code));
    this.#errorDropped = (lines, code) => {
      // It cannot print a notice about itself.
      if (code === null) notice(dropText('standard error', lines, code));
    };
  }

  print(text: string): void {
    this.#streams.output.write(text, this.#outputDropped);
  }

  printError(text: string): void {
    this.#streams.error.write(text, this.#errorDropped);
  }

  printTo(path: string, text: string): void {
    appendToLog(path, text, this.#notice);
  }

  async flush(): Promise<void> {
    const { error, output } = this.#streams;
    await Promise.all([output.flush(), error.flush(), flushLogs()]);
  }

  get linesDropped(): number {
    return this.#streams.output.dropped + this.#streams.error.dropped + logLinesDropped();
  }

  async realPath(path: string): Promise<string | number> {
    try {
      return await realPath(path);
    } catch (error) {
      return faultOf(error, EIO);
    }
  }

  async stat(path: string): Promise<FileStat | number> {
    try {
      return fileStat(await promises.stat(path));
    } catch (error) {
      return faultOf(error, EIO);
    }
  }

  statNow(path: string): FileStat | number | null {
    const beganMs = performance.now();
    if (beganMs < this.#statPausedUntilMs) return null;
    try {
      const stats = fs.statSync(path, NO_THROW);
      const isSlow = performance.now() - beganMs > SLOW_STAT_MS;
      if (isSlow) this.#statPausedUntilMs = beganMs + SLOW_STAT_PAUSE_MS;
      return stats === undefined ? -ENOENT : fileStat(stats);
    } catch (error) {
      return faultOf(error, EIO);
    }
  }

  open(path: string): Promise<OpenFile | number> {
    return new Promise((resolve) => {
      try {
        fs.open(path, OPEN_FLAGS, (error, file) => {
          if (error === null) openStat(file, resolve);
          else resolve(openFault(error));
        });
      } catch (error) {
        // Node throws for a NUL in the path, which may come from a client.
        resolve(openFault(error));
      }
    });
  }

  read(file: number, into: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve) => {
      fs.read(file, into, 0, into.length, position, (error, count) => {
        resolve(error === null ? count : faultOf(error, EIO));
      });
    });
  }

  close(file: number): Promise<number> {
    return new Promise((resolve) => {
      fs.close(file, (error) => resolve(error === null ? 0 : faultOf(error, EIO)));
    });
  }

  create(path: string): Promise<number> {
    return new Promise((resolve) => {
      try {
        fs.open(path, CREATE_FLAGS, CREATE_MODE, (error, file) => {
          resolve(error === null ? file : faultOf(error, EIO));
        });
      } catch (error) {
        resolve(faultOf(error, EIO));
      }
    });
  }

  write(file: number, bytes: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve) => {
      fs.write(file, bytes, 0, bytes.length, position, (error, count) => {
        resolve(error === null ? count : faultOf(error, EIO));
      });
    });
  }

  async remove(path: string): Promise<number> {
    try {
      await promises.unlink(path);
      return 0;
    } catch (error) {
      return faultOf(error, EIO);
    }
  }

  readNow(file: number, into: Uint8Array, position: number): number {
    try {
      return fs.readSync(file, into, 0, into.length, position);
    } catch (error) {
      return faultOf(error, EIO);
    }
  }

  openStat(file: number): FileStat | number {
    try {
      return fileStat(fs.fstatSync(file));
    } catch (error) {
      return faultOf(error, EIO);
    }
  }

  pathOf(file: number): string | number {
    if (process.platform !== 'linux') return -ENOSYS;
    try {
      return fs.readlinkSync(`/proc/self/fd/${file}`);
    } catch {
      // Without /proc, as in some jails.
      return -ENOSYS;
    }
  }

  async list(path: string): Promise<readonly DirectoryEntry[] | number> {
    const entries: DirectoryEntry[] = [];
    try {
      const names = await promises.readdir(path);
      for (let index = 0; index < names.length; index += STATS_AT_ONCE) {
        const some = names.slice(index, index + STATS_AT_ONCE);
        const stats = await Promise.all(some.map((name) => this.stat(`${path}/${name}`)));
        stats.forEach((stat, at) => {
          if (!isFault(stat)) entries.push({ name: some[at], stat });
        });
      }
    } catch (error) {
      return faultOf(error, EIO);
    }
    return entries;
  }

  async openDirectory(path: string): Promise<number> {
    try {
      const opened = await promises.opendir(path, { bufferSize: NAMES_AT_ONCE });
      this.#lastDirectory += 1;
      this.#directories.set(this.#lastDirectory, opened);
      return this.#lastDirectory;
    } catch (error) {
      return faultOf(error, EIO);
    }
  }

  async readNames(directory: number, count: number): Promise<readonly DirectoryName[] | number> {
    const opened = this.#directories.get(directory);
    if (opened === undefined) return -EBADF;
    const names: DirectoryName[] = [];
    try {
      while (names.length < count) {
        const entry = await opened.read();
        if (entry === null) break;
        names.push({ name: entry.name, kind: kindOf(entry), isLink: entry.isSymbolicLink() });
      }
    } catch (error) {
      return faultOf(error, EIO);
    }
    return names;
  }

  async closeDirectory(directory: number): Promise<void> {
    const opened = this.#directories.get(directory);
    this.#directories.delete(directory);
    // As for a file: nothing is left to do when it fails.
    await opened?.close().catch(() => {});
  }

  get codings(): readonly ContentCoding[] {
    return codings();
  }

  compress(coding: ContentCoding, bytes: Uint8Array, level: number): Promise<Uint8Array> {
    return encoderOf(coding, level, bytes.length).finish(bytes);
  }

  compressNow(coding: ContentCoding, bytes: Uint8Array, level: number): Uint8Array {
    return compressNow(coding, bytes, level);
  }

  encoder(coding: ContentCoding, level: number): ContentStream {
    return encoderOf(coding, level, null);
  }

  decoder(coding: ContentCoding, bytesMax: number): ContentStream {
    return decoderOf(coding, bytesMax);
  }

  async hash(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): Promise<string> {
    // node:crypto's Hash would block the event loop; this digest runs in the thread pool.
    const input = bytes as Uint8Array<ArrayBuffer>;
    const { webcrypto } = builtInModule('node:crypto');
    const digest = await webcrypto.subtle.digest(SUBTLE_NAME[algorithm], input);
    return Buffer.from(digest).toString('hex');
  }

  hashNow(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): string {
    return builtInModule('node:crypto').createHash(algorithm).update(bytes).digest('hex');
  }

  randomHex(bytes: number): string {
    return builtInModule('node:crypto').randomBytes(bytes).toString('hex');
  }
}

function realPath(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    fs.realpath.native(path, (error, found) => (error === null ? resolve(found) : reject(error)));
  });
}

function openStat(file: number, resolve: (result: OpenFile | number) => void): void {
  fs.fstat(file, (error, stats) => {
    if (error === null && stats.isFile()) {
      resolve({ file, stat: fileStat(stats) });
      return;
    }
    let fault: number = -EACCES;
    if (error !== null) fault = faultOf(error, EIO);
    else if (stats.isDirectory()) fault = -EISDIR;
    fs.close(file, () => resolve(fault));
  });
}

/** A Unix socket cannot be opened: it is denied like everything else that is not a file. */
function openFault(error: unknown): number {
  const fault = faultOf(error, EIO);
  return fault === -ENXIO ? -EACCES : fault;
}

function fileStat(stats: fs.Stats): FileStat {
  return {
    kind: kindOf(stats),
    bytes: stats.size,
    modifiedMs: stats.mtimeMs,
    changedMs: stats.ctimeMs,
    inode: stats.ino,
    device: stats.dev,
  };
}

function kindOf(entry: fs.Stats | fs.Dirent): FileKind {
  if (entry.isFile()) return FileKind.File;
  return entry.isDirectory() ? FileKind.Directory : FileKind.Other;
}
