// The second port, next to the driver: asynchronous I/O that Node does in its thread pool, digests
// and randomness. Nothing above the two ports reads files, clocks or randomness, so a simulator
// replaces them by two objects.
//
// Errors of the system are values: a call that fails returns -errno, by base/errno.ts (ENOENT 2,
// EACCES 13, ENOTDIR 20, EISDIR 21, ENAMETOOLONG 36 and ELOOP 40 occur here).

/** The type of a file, after symbolic links are resolved. */
export const FileKind = { Other: 0, File: 1, Directory: 2 } as const;
export type FileKind = (typeof FileKind)[keyof typeof FileKind];

export interface FileStat {
  readonly kind: FileKind;
  readonly bytes: number;
  /** When the content changed, or what a program set: milliseconds since 1970, with fractions. */
  readonly modifiedMs: number;
  /** When content or attributes changed (ctime); no program can set it. */
  readonly changedMs: number;
  /** Both together distinguish files with the same name, size and times. */
  readonly inode: number;
  readonly device: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly stat: FileStat;
}

/** What a directory itself says of an entry, without a look at the target of a link. */
export interface DirectoryName {
  readonly name: string;
  /** Other also for a link. */
  readonly kind: FileKind;
  readonly isLink: boolean;
}

/** An open file, by number; the caller must close() it. */
export interface OpenFile {
  readonly file: number;
  readonly stat: FileStat;
}

/** Whether a result, which is a value or -errno, is an error. */
export function isFault(result: unknown): result is number {
  return typeof result === 'number' && result < 0;
}

export interface AsyncIo {
  /** The absolute path with every symbolic link resolved. */
  realPath(path: string): Promise<string | number>;
  stat(path: string): Promise<FileStat | number>;
  /**
   * As stat(), but synchronous, for a path that was checked a moment ago, so that the system has it
   * in memory. Null while such calls are slow: then the caller uses stat().
   */
  statNow(path: string): FileStat | number | null;
  /**
   * Opens a regular file for reading (never blocks on a FIFO). The stat is that of the open file.
   */
  open(path: string): Promise<OpenFile | number>;
  /** Reads up to into.length bytes at `position`. Returns how many, 0 at the end, or -errno. */
  read(file: number, into: Uint8Array, position: number): Promise<number>;
  /** The same, synchronous: for a few bytes that were just written, so that they are in memory. */
  readNow(file: number, into: Uint8Array, position: number): number;
  /**
   * Returns 0, or -errno when bytes that were written may be lost. The file is closed in any case.
   */
  close(file: number): Promise<number>;
  /**
   * Creates a file that only its owner can read, for writing; -EEXIST when the path exists. Returns
   * its number; the caller must close() it.
   */
  create(path: string): Promise<number>;
  /** Writes bytes at `position`. Returns how many were written, which may be fewer, or -errno. */
  write(file: number, bytes: Uint8Array, position: number): Promise<number>;
  /** Removes a file; 0, or -errno. */
  remove(path: string): Promise<number>;
  /** The stat of an open file as of now. Synchronous: the system has it in memory. */
  openStat(file: number): FileStat | number;
  /**
   * The path by which the system knows an open file now, without links, also after the file was
   * renamed; of a deleted file some text after it. -ENOSYS where the system does not report it.
   */
  pathOf(file: number): string | number;
  /**
   * The entries of a directory, unsorted, with the stat of each link's target, without broken
   * links.
   */
  list(path: string): Promise<readonly DirectoryEntry[] | number>;
  /**
   * Opens a directory, to read its names in bounded memory. Returns a number that only the two
   * calls below accept; closeDirectory() must be called.
   */
  openDirectory(path: string): Promise<number>;
  /**
   * The next `count` names of an open directory in any order, without `.` and `..`; fewer only at
   * its end. Called again when the call before has resolved. Bytes that are not UTF-8 become
   * U+FFFD: such names cannot be opened.
   */
  readNames(directory: number, count: number): Promise<readonly DirectoryName[] | number>;
  closeDirectory(directory: number): Promise<void>;
  /** The codings that this system has. */
  readonly codings: readonly ContentCoding[];
  /** All of `bytes` in a content coding (RFC 9110 8.4.1), at a level of that coding. */
  compress(coding: ContentCoding, bytes: Uint8Array, level: number): Promise<Uint8Array>;
  /** As compress(), but synchronous: some 100 microseconds for 16 KiB at a low level. */
  compressNow(coding: ContentCoding, bytes: Uint8Array, level: number): Uint8Array;
  /** Compresses content that comes in chunks. */
  encoder(coding: ContentCoding, level: number): ContentStream;
  /** Decompresses content that comes in chunks, up to so many bytes of output. */
  decoder(coding: ContentCoding, bytesMax: number): ContentStream;
  /**
   * Writes complete lines to standard output and standard error; many lines become few writes.
   * Never throws and never blocks: lines are dropped while the stream cannot be written for long.
   */
  print(text: string): void;
  printError(text: string): void;
  /** As print(), to the end of the file at an absolute path, which is created when missing. */
  printTo(path: string, text: string): void;
  /** Resolves when all printed lines are written, the streams fail, or after a timeout. */
  flush(): Promise<void>;
  /** Lines that this process has dropped. */
  readonly linesDropped: number;
  /** A digest as lower-case hexadecimal. */
  hash(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): Promise<string>;
  /** As hash(), but synchronous: a millisecond for each MiB or two. */
  hashNow(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): string;
  /** Unpredictable bytes as lower-case hexadecimal. */
  randomHex(bytes: number): string;
}

export type ContentCoding = 'gzip' | 'deflate' | 'br' | 'zstd';

/**
 * Content on its way through a coding. One call at a time; the memory of `bytes` may change when
 * its promise has settled. Its own memory is released when finish() has settled or by close().
 */
export interface ContentStream {
  /** All output that the bytes so far make: an encoder flushes. */
  write(bytes: Uint8Array): Promise<Uint8Array>;
  /** The rest of the output. Rejects when the input of a decoder is incomplete or malformed. */
  finish(bytes?: Uint8Array): Promise<Uint8Array>;
  /** A call in progress rejects, and each one after it. */
  close(): void;
}

/** Why a decoder rejects: more than its bytesMax of output. */
export class OutputLimitError extends Error {}
