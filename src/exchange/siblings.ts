// The other workers of a server, for what they must know of each other.

export interface Siblings {
  /**
   * Sends `message`, which is JSON, to every other worker. Resolves when it has left this process;
   * never rejects. It may be lost, and no order among several workers is kept.
   */
  publish(topic: string, message: unknown): Promise<void>;
  /** Calls `receive` with each message of a topic that another worker publishes. */
  subscribe(topic: string, receive: (message: unknown) => void): void;
}
