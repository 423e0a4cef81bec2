// Which connections a process of a cluster has, from the kernel's table of connections and the
// descriptors of the process.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** The clients' ports of the connections of `pid` to `port` of 127.0.0.1. */
export function clientPortsOf(pid: number, port: number): ReadonlySet<number> {
  const ports = clientPorts(readFileSync('/proc/net/tcp', 'latin1'), port);
  const found = new Set<number>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1];
    const clientPort = inode === undefined ? undefined : ports.get(inode);
    if (clientPort !== undefined) found.add(clientPort);
  }
  return found;
}

/** '' when the descriptor was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

const ESTABLISHED = '01';

/** From the text of /proc/net/tcp: the remote port by the inode of the socket at `port`. */
export function clientPorts(table: string, port: number): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local = '', remote = '', state = ''] = fields;
    if (state !== ESTABLISHED || portOf(local) !== port) continue;
    found.set(fields[9] ?? '', portOf(remote));
  }
  return found;
}

/** An address in the table looks like 0100007F:1F90. */
function portOf(address: string): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16);
}
