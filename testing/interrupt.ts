// Ctrl-C in a long run: the first ends it as soon as it can tell what was done so far, the second
// at once.

import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export class Interrupt {
  /** The exit code that the signal asks for; 0 while there was none. */
  code = 0;
  readonly #asked: () => void;
  readonly #came: (signal: NodeJS.Signals) => void;

  /** `asked` is called at the first signal. */
  constructor(asked: () => void = () => {}) {
    this.#asked = asked;
    this.#came = (signal) => this.#interrupted(signal);
    for (const signal of SIGNALS) process.on(signal, this.#came);
  }

  get isAsked(): boolean {
    return this.code !== 0;
  }

  /** Signals do again what they do by themselves. */
  release(): void {
    for (const signal of SIGNALS) process.off(signal, this.#came);
  }

  #interrupted(signal: NodeJS.Signals): void {
    const code = 128 + constants.signals[signal];
    if (this.isAsked) process.exit(code);
    this.code = code;
    this.#asked();
  }
}
