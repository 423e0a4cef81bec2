// The terminal of the process, as the viewer uses it: the other screen, keys as they are pressed,
// its size. Whatever ends the process, the terminal is as it was before.

import { writeSync } from 'node:fs';

export interface ScreenListener {
  /** Keys, as the terminal sends them. */
  typed(text: string): void;
  /** The terminal has another size, or the process was stopped and continues. */
  changed(): void;
}

export interface ProcessScreen {
  /** Whether there is a terminal for keys and one for the screen. */
  readonly isInteractive: boolean;
  readonly hasColor: boolean;
  readonly size: { readonly columns: number; readonly rows: number };
  open(listener: ScreenListener): void;
  draw(lines: readonly string[]): void;
  /** Stops the process, as Ctrl-Z does, where that exists; it continues with `fg`. */
  suspend(): void;
  close(): void;
  /** Calls the listener when nothing reads the standard output any more. */
  onUnread(listener: () => void): void;
}

/** Private modes of xterm: the other screen (1049), the cursor (25), wrapping of lines (7). */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
/** The terminal shows all of an update at once, if it knows this mode. */
const BEGIN = '\u001b[?2026h\u001b[H';
const END = '\u001b[?2026l';
const ERASE_LINE = '\u001b[2K';
/** The terminal is closed, or Ctrl-\\ pressed from elsewhere. */
const ENDING = ['SIGHUP', 'SIGQUIT'] as const;
const USUAL_SIZE = { columns: 80, rows: 24 };

export function processScreen(): ProcessScreen {
  return new Screen();
}

class Screen implements ProcessScreen {
  readonly #input = process.stdin;
  readonly #output = process.stdout;
  #listener: ScreenListener | null = null;
  /** Not while the process was stopped: then the screen belongs to the shell. */
  #isEntered = false;

  get isInteractive(): boolean {
    const isDumb = process.env['TERM'] === 'dumb';
    return this.#input.isTTY === true && this.#output.isTTY === true && !isDumb;
  }

  get hasColor(): boolean {
    return (process.env['NO_COLOR'] ?? '') === '';
  }

  get size(): { readonly columns: number; readonly rows: number } {
    // A terminal that does not know its size says 0.
    return {
      columns: this.#output.columns || USUAL_SIZE.columns,
      rows: this.#output.rows || USUAL_SIZE.rows,
    };
  }

  open(listener: ScreenListener): void {
    this.#listener = listener;
    // A process that ends by exit(), by an error or by the end of its work restores the screen.
    process.on('exit', this.#restore);
    process.on('uncaughtExceptionMonitor', this.#restore);
    process.on('SIGCONT', this.#continued);
    for (const signal of ENDING) process.on(signal, this.#ended);
    this.#output.on('resize', this.#resized);
    this.#input.on('data', this.#typed);
    this.#enter();
  }

  draw(lines: readonly string[]): void {
    // A terminal that is slow, or stopped with Ctrl-S, gets the next screen.
    if (!this.#isEntered || this.#output.writableNeedDrain) return;
    // Erased before it is written: behind a full line the cursor stays in its last cell.
    const text = lines.map((line) => ERASE_LINE + line).join('\r\n');
    this.#output.write(BEGIN + text + END);
  }

  suspend(): void {
    if (process.platform === 'win32') return;
    this.#leave();
    process.kill(process.pid, 'SIGSTOP');
  }

  close(): void {
    if (this.#listener === null) return;
    process.off('SIGCONT', this.#continued);
    for (const signal of ENDING) process.off(signal, this.#ended);
    this.#output.off('resize', this.#resized);
    this.#input.off('data', this.#typed);
    this.#restore();
    process.off('exit', this.#restore);
    process.off('uncaughtExceptionMonitor', this.#restore);
  }

  onUnread(listener: () => void): void {
    this.#output.once('error', listener);
  }

  readonly #typed = (chunk: Buffer): void => this.#listener?.typed(chunk.toString());
  readonly #resized = (): void => this.#listener?.changed();
  readonly #continued = (): void => {
    this.#enter();
    this.#listener?.changed();
  };
  /** Ends by the same signal as without a screen. */
  readonly #ended = (signal: NodeJS.Signals): void => {
    this.close();
    process.kill(process.pid, signal);
  };
  readonly #restore = (): void => {
    if (this.#listener === null) return;
    this.#listener = null;
    this.#leave();
  };

  #enter(): void {
    this.#input.setRawMode(true);
    this.#input.resume();
    writeNow(ENTER);
    this.#isEntered = true;
  }

  #leave(): void {
    this.#isEntered = false;
    try {
      this.#input.setRawMode(false);
    } catch {
      // The terminal is gone.
    }
    this.#input.pause();
    writeNow(LEAVE);
  }
}

/** Before the process can end: the stream would write later. */
function writeNow(text: string): void {
  try {
    writeSync(1, text);
  } catch {
    // The terminal is gone.
  }
}
