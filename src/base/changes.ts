// Lets code wait until something has changed, whatever it is: the one who waits looks again.

export class Changes {
  #next: Promise<void> | null = null;
  #resolve: () => void = () => {};

  /** Resolves with the next call of happened(). */
  next(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#next;
  }

  happened(): void {
    this.#next = null;
    this.#resolve();
  }
}
