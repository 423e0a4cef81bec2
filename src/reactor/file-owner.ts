// Who closes a file that is being sent.

/** What owns an open file, and uses or closes it again when it is no longer sent from. */
export interface FileOwner {
  readonly file: number;
  /** As in Driver.mapFile(). */
  readonly identity: number;
  released(): void;
}
