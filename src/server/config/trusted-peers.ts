// The rule for lists of proxies that are trusted.

import { trustedPeers } from '../../base/ip-range.ts';
import { ruleWith } from '../../base/options.ts';
import type { ShapedRule } from './static-keys.ts';

const WANTED = 'addresses and ranges such as 10.0.0.0/8, and unix';

export const TRUSTED_PEERS: ShapedRule = {
  ...ruleWith(`one or a list of ${WANTED}`, (value) => {
    const list: unknown[] = [value].flat();
    const trusted = trustedPeers(list);
    if (typeof trusted === 'string') return trusted;
    return list.length > 0 ? null : 'it is empty';
  }),
  kind: 'shaped',
  shape: 'list',
  wantedText: `${WANTED}, with commas between them`,
};
