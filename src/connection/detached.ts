// The transport of a detached exchange: it sends nothing and reads nothing, so that a late call of
// a handler never reaches the next request of the connection.

import type { Peer } from '../driver/driver.ts';
import { NOT_ARRIVED } from '../exchange/body-reader.ts';
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

  sendFile(): boolean {
    return false;
  }

  startStream(): void {}

  write(exchange: Exchange): Promise<void> {
    exchange.services.countLateCall(false);
    return latePause(exchange, false);
  }

  writeFile(): null {
    return null;
  }

  endStream(): void {}

  waitingBytes(): number {
    return 0;
  }

  abandon(): void {}

  detached(): void {}

  readChunk(exchange: Exchange): Promise<never> {
    return Promise.reject(bodyOver(exchange));
  }

  readAll(exchange: Exchange): Promise<never> {
    return Promise.reject(bodyOver(exchange));
  }

  readNow(): typeof NOT_ARRIVED {
    return NOT_ARRIVED;
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
