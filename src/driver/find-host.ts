// Which address of a host name a load connects to: the first that accepts a connection, since a
// server of `localhost` may listen on 127.0.0.1 or on ::1 alone.

import { connect, isIP } from 'node:net';
import { builtInModule } from '../base/built-in-module.ts';

const PROBE_MS_MAX = 3_000;

const FAULTS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host name; check the spelling, or use an IP address (ENOTFOUND)',
  EAI_AGAIN: 'no name server responds; try again, or use an IP address (EAI_AGAIN)',
};

/** The address; throws an Error that says what failed. */
export async function findHost(host: string, port: number): Promise<string> {
  if (isIP(host) !== 0) return host;
  let found: readonly { readonly address: string }[];
  try {
    found = await builtInModule('node:dns/promises').lookup(host, { all: true });
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new Error(`cannot find ${host}: ${FAULTS[code] ?? message}`);
  }
  return firstOf([...new Set(found.map(({ address }) => address))], port);
}

/** The first that accepts a connection; the first of all when none does. */
export async function firstOf(addresses: readonly string[], port: number): Promise<string> {
  // With one there is no choice, and the server sees no connection beyond those of the load.
  if (addresses.length === 1) return addresses[0];
  for (const address of addresses) {
    if (await acceptsConnections(address, port)) return address;
  }
  return addresses[0];
}

function acceptsConnections(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (accepts: boolean): void => {
      socket.destroy();
      resolve(accepts);
    };
    socket.setTimeout(PROBE_MS_MAX, () => done(false));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}
