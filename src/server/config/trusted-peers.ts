// The rule for lists of proxies that are trusted.

import { trustedPeers } from '../../base/ip-range.ts';
import type { ShapedRule } from './static-keys.ts';

const WANTED = 'addresses and ranges such as 10.0.0.0/8, and unix';

export const TRUSTED_PEERS: ShapedRule = {
  kind: 'shaped',
  shape: 'list',
  fits: (value) => {
    const list: unknown[] = [value].flat();
    return list.length > 0 && typeof trustedPeers(list) !== 'string';
  },
  wanted: `one or a list of ${WANTED}`,
  wantedText: `${WANTED}, with commas between them`,
};
