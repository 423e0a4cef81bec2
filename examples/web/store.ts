// Notes and uploaded files as files of one folder, so that all workers have the same ones. A name
// is complete before it appears, and two workers cannot create the same one.

import { randomUUID } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HttpError } from 'vibing';
import { makeFolder } from '../folder.ts';

export const NOTES_MAX = 100;
export const NOTE_CHARACTERS_MAX = 200;
export const FILES_MAX = 20;
export const FILE_BYTES_MAX: number = 20 * 1024 * 1024;

export interface Note {
  readonly id: string;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
}

export interface StoredFile {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  readonly createdMs: number;
  readonly path: string;
}

/** A file whose content is complete. */
export interface Uploaded {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
}

export class Store {
  readonly #notes: string;
  readonly #files: string;
  /** Files that are being uploaded here, by id: each has a place. */
  readonly #reserved = new Set<string>();
  /** Settles when the last change that was begun here has ended. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#notes = join(folder, 'notes');
    this.#files = join(folder, 'files');
    for (const path of [this.#notes, this.#files]) makeFolder(path);
  }

  /** The oldest first. */
  async notes(): Promise<readonly Note[]> {
    return await recordsIn<Note>(this.#notes);
  }

  /** Workers that add at the same moment may exceed the limit, by one note for each of them. */
  addNote(text: string): Promise<Note> {
    return this.#inTurn(async () => {
      if ((await namesIn(this.#notes)).length >= NOTES_MAX) {
        throw new HttpError(409, `there are ${NOTES_MAX} notes already`);
      }
      const note = { id: randomUUID(), text, createdMs: Date.now() };
      await writeRecord(this.#notes, note);
      return note;
    });
  }

  /** Whether there was such a note; `id` is a UUID. */
  async removeNote(id: string): Promise<boolean> {
    return await removed(join(this.#notes, `${id}.json`));
  }

  async files(): Promise<readonly StoredFile[]> {
    return await recordsIn<StoredFile>(this.#files);
  }

  /**
   * An identifier for a new file, and the path for its content. Its place is kept until addFiles()
   * or removeFile().
   */
  newFile(): Promise<{ readonly id: string; readonly path: string }> {
    return this.#inTurn(async () => {
      await this.#checkFiles(this.#reserved.size + 1);
      const id = randomUUID();
      this.#reserved.add(id);
      return { id, path: this.#contentOf(id) };
    });
  }

  /**
   * Makes files visible whose contents are complete. Workers that do so at the same moment may
   * exceed the limit, by the files of one form for each of them.
   */
  addFiles(files: readonly Uploaded[]): Promise<void> {
    return this.#inTurn(async () => {
      // Another worker may have added files since they were reserved.
      await this.#checkFiles(files.length);
      let createdMs = Date.now();
      for (const { id, name, bytes } of files) {
        const file = { id, name, bytes, createdMs, path: this.#contentOf(id) };
        // The files of a form keep its order.
        createdMs += 1;
        await writeRecord(this.#files, file);
        this.#reserved.delete(id);
      }
    });
  }

  async #checkFiles(added: number): Promise<void> {
    if ((await namesIn(this.#files)).length + added <= FILES_MAX) return;
    throw new HttpError(409, `there are ${FILES_MAX} files already`);
  }

  /** One after the other, so that nothing is added between a check and what follows it. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => {});
    return result;
  }

  #contentOf(id: string): string {
    return join(this.#files, `${id}.content`);
  }

  async file(id: string): Promise<StoredFile> {
    const found = (await this.files()).find((file) => file.id === id);
    if (found === undefined) throw new HttpError(404, 'no such file');
    return found;
  }

  /** Also one that is not visible yet, or that is not there. */
  async removeFile(id: string): Promise<void> {
    this.#reserved.delete(id);
    await removed(join(this.#files, `${id}.json`));
    await removed(this.#contentOf(id));
  }

  /** Calls `changed` after changes, also those of other workers. */
  watch(changed: () => void): { close(): void } {
    const watchers: FSWatcher[] = [this.#notes, this.#files].map((path) =>
      watch(path, (_event, name) => {
        if (name?.endsWith('.json') !== false) changed();
      }).unref(),
    );
    return {
      close() {
        for (const watcher of watchers) watcher.close();
      },
    };
  }
}

/** Renamed when it is complete, so that it is never read half. */
async function writeRecord(folder: string, record: { readonly id: string }): Promise<void> {
  const temporary = join(folder, `${record.id}.new`);
  await writeFile(temporary, JSON.stringify(record), { flag: 'wx' });
  await rename(temporary, join(folder, `${record.id}.json`));
}

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.json'));
}

async function recordsIn<T extends { readonly createdMs: number }>(folder: string): Promise<T[]> {
  const names = await namesIn(folder);
  const texts = await Promise.all(
    // One that another worker has just removed is left out.
    names.map((name) => readFile(join(folder, name), 'utf8').catch(() => null)),
  );
  const records = texts.filter((text) => text !== null).map((text) => JSON.parse(text) as T);
  return records.sort((a, b) => a.createdMs - b.createdMs);
}

async function removed(path: string): Promise<boolean> {
  try {
    await rm(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
