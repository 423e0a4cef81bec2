// Runs `vibing compress`: makes compressed variants beside the files of a directory, several at a
// time, shows progress, handles Ctrl-C.

import { lstat, rm, stat } from 'node:fs/promises';
import { logText } from '../../base/log-text.ts';
import { countText } from '../../load/format.ts';
import { faultCode, faultText, problemLine } from '../fault-text.ts';
import { compressHelp } from '../help.ts';
import { FAILED, INTERRUPTED, OK, type Terminal, USAGE_ERROR } from '../terminal.ts';
import { type Coding, codingOf } from './codings.ts';
import { type CompressOptions, parseCompressFlags } from './flags.ts';
import { Summary } from './summary.ts';
import { makeVariant, type Outcome, removeOutdated } from './variant.ts';
import { type Found, isLeftBehind, walk } from './walk.ts';

const CLEAR = '\r\u001b[2K';

/** Resolves with the exit code. */
export async function compress(args: readonly string[], environment: Terminal): Promise<number> {
  const { help, options, problems } = parseCompressFlags(args);
  if (help) {
    environment.out(compressHelp());
    return OK;
  }
  const all = problems.length > 0 ? problems : await directoryProblem(options.directory);
  for (const problem of all) environment.err(problemLine(problem));
  if (all.length > 0) return USAGE_ERROR;
  return new Compression(options, environment).run();
}

async function directoryProblem(directory: string): Promise<readonly string[]> {
  try {
    return (await stat(directory)).isDirectory() ? [] : [`${directory}: not a directory`];
  } catch (error) {
    return [`${directory}: ${faultText(error)}`];
  }
}

class Compression {
  readonly #options: CompressOptions;
  readonly #environment: Terminal;
  readonly #summary: Summary;
  readonly #aborter = new AbortController();

  constructor(options: CompressOptions, environment: Terminal) {
    this.#options = options;
    this.#environment = environment;
    this.#summary = new Summary(options.codings);
  }

  async run(): Promise<number> {
    const { directory, dryRun, jobs, quiet } = this.#options;
    const { signal } = this.#aborter;
    this.#environment.onInterrupt(() => {
      // The first one removes the temporary files.
      if (signal.aborted) this.#environment.exit(INTERRUPTED);
      this.#aborter.abort();
    });
    const found = walk(directory, (path, error) => this.#failed(path, error));
    // The jobs share one iterator: each takes the next file when it has finished one.
    await Promise.all(Array.from({ length: jobs }, () => this.#job(found)));
    this.#clearProgress();
    if (signal.aborted) return INTERRUPTED;
    if (!quiet) this.#environment.out(this.#summary.text(dryRun));
    return this.#summary.errors > 0 ? FAILED : OK;
  }

  async #job(found: AsyncGenerator<Found>): Promise<void> {
    for (;;) {
      const next = await found.next();
      if (next.done === true || this.#aborter.signal.aborted) return;
      const { kind, path } = next.value;
      try {
        if (kind === 'original') await this.#original(path);
        else if (this.#options.prune) await this.#pruneOrphan(next.value);
      } catch (error) {
        if (this.#aborter.signal.aborted) return;
        this.#failed(path, error);
      }
    }
  }

  async #original(path: string): Promise<void> {
    const { codings, minBytes } = this.#options;
    const { size } = await lstat(path);
    const isSmall = size < minBytes;
    if (isSmall) this.#summary.smallFiles += 1;
    else this.#summary.files += 1;
    this.#showProgress();
    for (const coding of codings) {
      if (isSmall) {
        const isRemoved = await removeOutdated(path, coding, this.#options);
        if (isRemoved) this.#note(path, coding, size, { what: 'removed' });
      } else {
        const outcome = await makeVariant(path, coding, this.#options, this.#aborter.signal);
        this.#note(path, coding, size, outcome);
      }
    }
  }

  #note(path: string, coding: Coding, size: number, outcome: Outcome): void {
    this.#summary.add(coding, size, outcome);
    if (!this.#options.dryRun || this.#options.quiet) return;
    const variant = logText(path + coding.extension);
    if (outcome.what === 'removed') this.#environment.out(`would remove ${variant}\n`);
    if (outcome.what !== 'written') return;
    const sizes = `${countText(size)} -> ${countText(outcome.bytes)} bytes`;
    this.#environment.out(`would write ${variant}, ${sizes}\n`);
  }

  /** Removes a variant whose original is gone, and what an interrupted run has left behind. */
  async #pruneOrphan({ kind, path }: Found): Promise<void> {
    const { codings, dryRun, quiet } = this.#options;
    if (kind === 'temporary') {
      if (!isLeftBehind(path)) return;
    } else {
      const coding = codingOf(path);
      if (coding === undefined || !codings.includes(coding)) return;
      if (await exists(path.slice(0, -coding.extension.length))) return;
    }
    if (!dryRun) await rm(path);
    else if (!quiet) this.#environment.out(`would remove ${logText(path)}\n`);
    this.#summary.pruned += 1;
  }

  #failed(path: string, error: unknown): void {
    this.#summary.errors += 1;
    this.#clearProgress();
    this.#environment.err(problemLine(`${path}: ${problemText(error)}`));
  }

  #showProgress(): void {
    const { columns } = this.#environment;
    if (columns === 0 || this.#options.quiet) return;
    const text = `${countText(this.#summary.files)} files`;
    this.#environment.err(`${CLEAR}${text.slice(0, columns - 1)}`);
  }

  #clearProgress(): void {
    if (this.#environment.columns > 0 && !this.#options.quiet) this.#environment.err(CLEAR);
  }
}

/** A system error by its name; an error of ours by its text. */
function problemText(error: unknown): string {
  if (faultCode(error) === undefined && error instanceof Error) return error.message;
  return faultText(error);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (faultCode(error) === 'ENOENT') return false;
    throw error;
  }
}
