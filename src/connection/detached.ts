// The transport of an exchange that its connection is done with: it sends nothing and reads
// nothing, so that a late call of a handler never reaches the next request of the connection.

import type { Peer } from '../driver/driver.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { clientGone } from '../exchange/gone.ts';
import { latePause } from '../exchange/late.ts';
import type { Transport } from '../exchange/transport.ts';

export const NO_PEER: Peer = Object.freeze({ address: '', port: 0 });

class Detached implements Transport {
  peer(): Peer {
    return NO_PEER;
  }

  sendWhole(): void {}

  sendPrepared(): void {}

  startStream(): void {}

  write(exchange: Exchange): Promise<void> {
    exchange.services.countLateCall(false);
    return latePause(exchange, false);
  }

  endStream(): void {}

  abandon(): void {}

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
  return exchange.gone ? clientGone() : new Error('the body is gone: this request is over');
}
