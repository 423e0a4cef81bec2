// The transport of a detached exchange: it sends nothing and reads nothing, so that a late call of
// a handler never reaches the next request of the connection.

import type { Peer } from '../driver/driver.ts';
import type { Exchange, Transport } from '../exchange/exchange.ts';
import { clientGone } from '../exchange/gone.ts';
import { latePause } from '../exchange/late.ts';

export const NO_PEER: Peer = Object.freeze({ address: '', port: 0 });

class Detached implements Transport {
  peer(): Peer {
    return NO_PEER;
  }

  sendFull(): void {}

  sendPrepared(): void {}

  startStream(): void {}

  write(exchange: Exchange): Promise<void> {
    exchange.services.countLateCall(false);
    return latePause(exchange, false);
  }

  writeFile(): null {
    return null;
  }

  endStream(): void {}

  abandon(): void {}

  detached(): void {}

  readChunk(exchange: Exchange): Promise<never> {
    return Promise.reject(bodyOver(exchange));
  }

  readAll(exchange: Exchange): Promise<never> {
    return Promise.reject(bodyOver(exchange));
  }

  trailers(): readonly (readonly [string, string])[] {
    return [];
  }
}

export const DETACHED: Transport = new Detached();

function bodyOver(exchange: Exchange): Error {
  return exchange.gone
    ? clientGone()
    : new Error('the body cannot be read any more: this request is over');
}
