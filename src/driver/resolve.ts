// Resolves a host name to listen on to a literal address, which drivers need.

import { isIP } from 'node:net';
import { builtInModule } from '../base/built-in-module.ts';

/** The first address of a name such as `localhost`; rejects with the resolver's error. */
export async function resolveHost(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  const { address } = await builtInModule('node:dns/promises').lookup(host);
  return address;
}
