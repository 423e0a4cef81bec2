// What a worker publishes to the other workers, through the primary.

import type { Siblings } from '../exchange/siblings.ts';
import type { FromPrimary, FromWorker } from './messages.ts';

/** The channel of a worker to its primary: `process`. */
export interface Channel {
  readonly connected: boolean;
  send?(message: FromWorker, handle: undefined, options: object, sent: () => void): boolean;
  on(event: 'message', receive: (message: FromPrimary) => void): unknown;
}

type Receive = (message: unknown) => void;

export function workerSiblings(channel: Channel = process): Siblings {
  const receivers = new Map<string, Receive[]>();
  const received = (message: FromPrimary) => {
    if (message?.vibing !== 'published') return;
    for (const receive of receivers.get(message.topic) ?? []) receive(message.message);
  };
  return {
    publish: (topic, message) =>
      new Promise((resolve) => {
        if (!channel.connected || channel.send === undefined) resolve();
        else channel.send({ vibing: 'published', topic, message }, undefined, {}, () => resolve());
      }),
    subscribe: (topic, receive) => {
      // Not before: a process that listens to its channel does not end by itself.
      if (receivers.size === 0) channel.on('message', received);
      receivers.set(topic, [...(receivers.get(topic) ?? []), receive]);
    },
  };
}
