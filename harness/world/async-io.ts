// Simulated asynchronous I/O: files in memory, synchronous compression and digests. Results come
// later, in an order drawn from the seed, or as failures.

import { createHash } from 'node:crypto';
import {
  type AsyncIo,
  type ContentCoding,
  type ContentStream,
  type DirectoryEntry,
  type DirectoryName,
  FileKind,
  type FileStat,
  type OpenFile,
} from '../../src/async-io/async-io.ts';
import { ERRNO } from '../../src/base/errno.ts';
import type { Random } from '../../testing/random.ts';
import {
  SYNC_CODINGS,
  syncCompress,
  syncDecoder,
  syncEncoder,
} from '../../testing/sync-codings.ts';
import type { Schedule } from './clock.ts';
import type { Faults } from './faults.ts';
import { FILES, MODIFIED_MS, type TreeFile } from './files.ts';
import type { VirtualLoop } from './loop.ts';
import type { Trace } from './trace.ts';
import { ensure } from './violation.ts';

export interface SimAsyncIoParts {
  readonly schedule: Schedule;
  readonly loop: VirtualLoop;
  readonly faults: Faults;
  readonly random: Random;
  readonly trace: Trace;
  /** Makes files in addition to those of the tree, on first use. */
  readonly made?: (path: string) => TreeFile | undefined;
}

const { EIO, ENOENT, ENOTDIR, EISDIR, EMFILE, EROFS } = ERRNO;

export class SimAsyncIo implements AsyncIo {
  readonly #parts: SimAsyncIoParts;
  readonly #files = new Map<string, TreeFile>();
  readonly #folders = new Set<string>(['/']);
  readonly #open = new Map<number, TreeFile>();
  /** The names of open directories that were not read yet. */
  readonly #openDirectories = new Map<number, DirectoryName[]>();
  #nextFile = 3;
  #pending = 0;
  /** Operations that a fault made fail. */
  failures = 0;
  readonly lines: string[] = [];

  constructor(parts: SimAsyncIoParts) {
    this.#parts = parts;
    for (const file of FILES) {
      this.#files.set(file.path, file);
      for (let at = file.path.lastIndexOf('/'); at > 0; at = file.path.lastIndexOf('/', at - 1)) {
        this.#folders.add(file.path.slice(0, at));
      }
    }
  }

  /** The content of an open file. */
  readonly fileBytes = (file: number): Uint8Array | undefined => this.#open.get(file)?.bytes;

  get openCount(): number {
    return this.#open.size + this.#openDirectories.size;
  }

  get pendingCount(): number {
    return this.#pending;
  }

  /** Delivers a result as the thread pool does, in the loop's poll phase. */
  #later<T>(result: () => T, failure?: T): Promise<T> {
    const { schedule, loop, faults, random } = this.#parts;
    this.#pending += 1;
    let delayMs = random.ms(0, 0.2);
    if (faults.hit('workSlow')) delayMs += faults.random('workSlow').ms(1, 300);
    const fails = failure !== undefined && faults.hit('workFails');
    if (fails) this.failures += 1;
    return new Promise((resolve, reject) => {
      schedule.after(delayMs, () => {
        loop.announce(() => {
          this.#pending -= 1;
          try {
            resolve(fails ? failure : result());
          } catch (error) {
            reject(error);
          }
        });
      });
    });
  }

  #resolve(path: string): string | number {
    const plain = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
    this.#make(plain);
    const file = this.#files.get(plain);
    if (file?.link !== undefined) return file.link;
    if (file !== undefined) return plain === path ? plain : -ENOTDIR;
    return this.#folders.has(plain) ? plain : -ENOENT;
  }

  realPath(path: string): Promise<string | number> {
    return this.#later<string | number>(() => this.#resolve(path), -EIO);
  }

  #make(path: string): void {
    const made = this.#files.has(path) ? undefined : this.#parts.made?.(path);
    if (made !== undefined) this.#files.set(path, made);
  }

  #stat(path: string): FileStat | number {
    const real = this.#resolve(path);
    if (typeof real === 'number') return real;
    const file = this.#files.get(real);
    if (file !== undefined) return statOf(file);
    return { kind: FileKind.Directory, bytes: 4096, ...TIMES, inode: 1, device: 1 };
  }

  stat(path: string): Promise<FileStat | number> {
    return this.#later<FileStat | number>(() => this.#stat(path), -EIO);
  }

  /** Synchronous. With a slow disk it returns null, as the real one does; and it may fail. */
  statNow(path: string): FileStat | number | null {
    const { faults } = this.#parts;
    if (faults.hit('workSlow')) return null;
    if (faults.hit('workFails')) {
      this.failures += 1;
      return -EIO;
    }
    return this.#stat(path);
  }

  open(path: string): Promise<OpenFile | number> {
    return this.#later<OpenFile | number>(() => {
      const real = this.#resolve(path);
      if (typeof real === 'number') return real;
      const tree = this.#files.get(real);
      if (tree === undefined) return -EISDIR;
      const file = this.#nextFile++;
      this.#open.set(file, tree);
      return { file, stat: statOf(tree) };
    }, -EMFILE);
  }

  read(file: number, into: Uint8Array, position: number): Promise<number> {
    const { faults, trace } = this.#parts;
    return this.#later<number>(() => {
      const tree = this.#open.get(file);
      ensure(tree !== undefined, 'async-io', `file ${file} is open while it is read`);
      let count = Math.max(0, Math.min(into.length, tree.bytes.length - position));
      if (count > 1 && faults.hit('workShort')) {
        count = Math.max(1, faults.random('workShort').between(count >> 2, count));
      }
      into.set(tree.bytes.subarray(position, position + count));
      trace.mix(3, file, position, count);
      return count;
    }, -EIO);
  }

  /** No file of the simulated disk can be written. */
  create(): Promise<number> {
    return this.#later<number>(() => -EROFS);
  }

  write(): Promise<number> {
    return this.#later<number>(() => -EROFS);
  }

  remove(): Promise<number> {
    return this.#later<number>(() => -EROFS);
  }

  close(file: number): Promise<number> {
    return this.#later(() => {
      ensure(this.#open.delete(file), 'async-io', `file ${file} is closed once`);
      return 0;
    });
  }

  readNow(file: number, into: Uint8Array, position: number): number {
    const tree = this.#open.get(file);
    ensure(tree !== undefined, 'async-io', `file ${file} is open while it is read`);
    const bytes = tree.bytes.subarray(position, position + into.length);
    into.set(bytes);
    return bytes.length;
  }

  openStat(file: number): FileStat | number {
    const tree = this.#open.get(file);
    ensure(tree !== undefined, 'async-io', `file ${file} is open while its stat is read`);
    return statOf(tree);
  }

  pathOf(file: number): string | number {
    return this.#open.get(file)?.path ?? -ENOENT;
  }

  list(path: string): Promise<readonly DirectoryEntry[] | number> {
    return this.#later<readonly DirectoryEntry[] | number>(() => {
      const entries: DirectoryEntry[] = [];
      if (!this.#folders.has(path)) return -ENOTDIR;
      for (const name of this.#namesIn(path)) {
        const stat = this.#stat(`${path}/${name}`);
        if (typeof stat !== 'number') entries.push({ name, stat });
      }
      return entries;
    }, -EIO);
  }

  #namesIn(folder: string): ReadonlySet<string> {
    const names = new Set<string>();
    for (const known of [...this.#files.keys(), ...this.#folders]) {
      if (!known.startsWith(`${folder}/`)) continue;
      names.add(known.slice(folder.length + 1).split('/')[0]);
    }
    return names;
  }

  openDirectory(path: string): Promise<number> {
    return this.#later<number>(() => {
      if (!this.#folders.has(path)) return -ENOTDIR;
      const names = Array.from(this.#namesIn(path), (name) => this.#directoryName(path, name));
      const directory = this.#nextFile++;
      this.#openDirectories.set(directory, names);
      return directory;
    }, -EMFILE);
  }

  #directoryName(folder: string, name: string): DirectoryName {
    const path = `${folder}/${name}`;
    const isLink = this.#files.get(path)?.link !== undefined;
    const folderKind = this.#folders.has(path) ? FileKind.Directory : FileKind.File;
    return { name, kind: isLink ? FileKind.Other : folderKind, isLink };
  }

  readNames(directory: number, count: number): Promise<readonly DirectoryName[] | number> {
    return this.#later<readonly DirectoryName[] | number>(() => {
      const names = this.#openDirectories.get(directory);
      ensure(names !== undefined, 'async-io', `directory ${directory} is open while it is read`);
      return names.splice(0, count);
    }, -EIO);
  }

  closeDirectory(directory: number): Promise<void> {
    return this.#later<void>(() => {
      const isOpen = this.#openDirectories.delete(directory);
      ensure(isOpen, 'async-io', `directory ${directory} is closed once`);
    });
  }

  compress(coding: ContentCoding, bytes: Uint8Array, level: number): Promise<Uint8Array> {
    return this.#later(() => syncCompress(coding, bytes, level));
  }

  readonly codings: readonly ContentCoding[] = SYNC_CODINGS;

  compressNow(coding: ContentCoding, bytes: Uint8Array, level: number): Uint8Array {
    return syncCompress(coding, bytes, level);
  }

  encoder(coding: ContentCoding, level: number): ContentStream {
    return syncEncoder((result) => this.#later(result), coding, level);
  }

  decoder(coding: ContentCoding, bytesMax: number): ContentStream {
    return syncDecoder((result) => this.#later(result), coding, bytesMax);
  }

  print(text: string): void {
    this.lines.push(text);
  }

  printError(text: string): void {
    this.lines.push(text);
  }

  printTo(_path: string, text: string): void {
    this.lines.push(text);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  get linesDropped(): number {
    return 0;
  }

  hash(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): Promise<string> {
    return this.#later(() => this.hashNow(algorithm, bytes));
  }

  hashNow(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): string {
    return createHash(algorithm).update(bytes).digest('hex');
  }

  randomHex(bytes: number): string {
    const { random } = this.#parts;
    return Array.from({ length: bytes }, () => hexByte(random.below(256))).join('');
  }
}

const TIMES = { modifiedMs: MODIFIED_MS, changedMs: MODIFIED_MS } as const;

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

function statOf(file: TreeFile): FileStat {
  const inode = 100 + FILES.indexOf(file);
  return { kind: FileKind.File, bytes: file.bytes.length, ...TIMES, inode, device: 1 };
}
