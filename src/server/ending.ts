// The end of a server's life: the signal that aborts when it begins, and the promise of its end.

import { setMaxListeners } from 'node:events';

/** Every event stream may listen to it, and Node warns about more than ten listeners. */
export function closingController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** The end of a server's life, as a promise. */
export class Ending {
  readonly whenOver: Promise<Error | null>;
  isOver = false;
  error: Error | null = null;
  #resolve: (error: Error | null) => void = () => {};

  constructor() {
    this.whenOver = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  end(): void {
    this.isOver = true;
    this.#resolve(this.error);
  }
}
