// Ctrl-C in a long run: the first signal asks the run to end and report what it did so far, the
// second ends the process at once.

import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export class Interrupt {
  /** The exit code that belongs to the signal; 0 while there was none. */
  code = 0;
  readonly #asked: () => void;
  readonly #listener: (signal: NodeJS.Signals) => void;

  /** `asked` is called at the first signal. */
  constructor(asked: () => void = () => {}) {
    this.#asked = asked;
    this.#listener = (signal) => this.#interrupted(signal);
    for (const signal of SIGNALS) process.on(signal, this.#listener);
  }

  get isAsked(): boolean {
    return this.code !== 0;
  }

  /** Removes the listeners: signals have their default effect again. */
  release(): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener);
  }

  #interrupted(signal: NodeJS.Signals): void {
    const code = 128 + constants.signals[signal];
    if (this.isAsked) process.exit(code);
    this.code = code;
    this.#asked();
  }
}
