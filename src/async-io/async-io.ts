// The second port, beside the driver: what Node does off the loop. Nothing above the two ports
// reads files, clocks or randomness, so a simulator that stands in for both owns the whole world.
//
// Faults of the world are values: a call that fails gives -errno (see ERRNO in base/errno.ts for
// the numbers; ENOENT 2, EACCES 13, ENOTDIR 20, EISDIR 21, ELOOP 40, ENAMETOOLONG 36 occur here).

/** What a path leads to, after following symbolic links. */
export const FileKind = { Other: 0, File: 1, Directory: 2 } as const;
export type FileKind = (typeof FileKind)[keyof typeof FileKind];

export interface FileStat {
  readonly kind: FileKind;
  readonly bytes: number;
  /** Milliseconds since 1970, with fractions. */
  readonly modifiedMs: number;
  /** Tells one file from another of the same name, size and time. */
  readonly inode: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly stat: FileStat;
}

/** An open file, by number; close() it. */
export interface OpenFile {
  readonly file: number;
  readonly stat: FileStat;
}

/** Names a fault in a result that is either a value or -errno. */
export function isFault(result: unknown): result is number {
  return typeof result === 'number' && result < 0;
}

export interface AsyncIo {
  /** The absolute path with every symbolic link resolved. */
  realPath(path: string): Promise<string | number>;
  stat(path: string): Promise<FileStat | number>;
  /**
   * As stat(), at once, for a path that was looked at a moment ago, so that the system still knows
   * it; null where that takes long lately, and stat() is to be asked.
   */
  statNow(path: string): FileStat | number | null;
  /** Opens a regular file for reading (never blocks on a FIFO); its stat is of the open file. */
  open(path: string): Promise<OpenFile | number>;
  /** Reads at most into.length bytes at `position`: how many, 0 at the end, or -errno. */
  read(file: number, into: Uint8Array, position: number): Promise<number>;
  close(file: number): Promise<void>;
  /** The entries of a directory with what each leads to, unsorted; broken links are left out. */
  list(path: string): Promise<readonly DirectoryEntry[] | number>;
  /** The whole of `bytes` in a content coding (RFC 9110 8.4.1), at a level of that coding. */
  compress(coding: ContentCoding, bytes: Uint8Array, level: number): Promise<Uint8Array>;
  /**
   * Whole lines for standard output and standard error; many lines become few writes. Never throws
   * and never waits: lines that cannot be written for long are dropped.
   */
  print(text: string): void;
  printError(text: string): void;
  /** Resolves when what was printed is written, or will not be in good time. */
  flush(): Promise<void>;
  /** Lines that this process had to drop. */
  readonly linesDropped: number;
  /** A digest as lower-case hexadecimal. */
  hash(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): Promise<string>;
}

export type ContentCoding = 'gzip' | 'deflate' | 'br';
