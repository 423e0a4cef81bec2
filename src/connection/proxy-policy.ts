// Who may begin connections with a PROXY header.

import type { TrustedPeers } from '../base/ip-range.ts';

export interface ProxyPolicy {
  /** The peers that must send the header; connections of others are closed. */
  readonly trusted: TrustedPeers;
  /** Called for a connection of another peer. */
  readonly untrusted: (address: string) => void;
}
