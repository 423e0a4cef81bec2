// On `net`, node:cluster sends each client to a worker and keeps the client's descriptor until the
// worker has confirmed it. When the worker dies before, node:cluster waits for ever: the client
// gets no response and no end, and the descriptor stays open. watchHandoffs() confirms in the name
// of the dead worker, by the message that node:cluster would have received.

import type { Worker } from 'node:cluster';

/** The messages of node:cluster, as far as they are used here. */
interface InternalMessage {
  readonly cmd?: unknown;
  /** 'newconn': a client is sent to a worker. */
  readonly act?: unknown;
  /** The number of a message that has a reply. */
  readonly seq?: unknown;
  /** The number of the message that this one replies to. */
  readonly ack?: unknown;
}

const COMMAND = 'NODE_CLUSTER';

/** `others` returns whether another worker could serve the clients of a dead one. */
export function watchHandoffs(worker: Worker, others: () => boolean): void {
  const child = worker.process;
  const unconfirmed = new Set<number>();
  const send = child.send.bind(child) as (...args: unknown[]) => boolean;
  child.send = (...args: unknown[]) => {
    const message = args[0] as InternalMessage;
    if (message?.act === 'newconn' && typeof message.seq === 'number') {
      unconfirmed.add(message.seq);
    }
    return send(...args);
  };
  child.on('internalMessage', ({ ack }: InternalMessage) => {
    if (typeof ack === 'number') unconfirmed.delete(ack);
  });
  const confirmAll = () => {
    // Not accepted: node:cluster sends the client to another worker. Accepted: it closes its own
    // descriptor, the last one.
    const accepted = !others();
    for (const ack of unconfirmed) child.emit('internalMessage', { cmd: COMMAND, ack, accepted });
  };
  child.once('disconnect', confirmAll);
  // A process that died in the middle of a message has no 'disconnect'.
  child.once('exit', () => {
    if (!child.connected) confirmAll();
  });
}
