// The authorities whose certificates the viewer accepts: Node's list, that of the system, and those
// of files.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';

/** Where systems keep theirs: Debian and Alpine, Fedora, SUSE, FreeBSD and macOS. */
const SYSTEM_FILES: readonly string[] = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** Newer versions of Node read the store of the system, on Windows, too. */
const { getCACertificates } = tls as {
  readonly getCACertificates?: (type: 'extra' | 'system') => readonly string[];
};

/** `file`: further authorities, as PEM. */
export function authorities(file: string | null): string[] {
  const own = file === null ? [] : [file];
  return [...own, ...tls.rootCertificates, ...extraAuthorities(), ...systemAuthorities()];
}

/** Those of the variable NODE_EXTRA_CA_CERTS, which Node adds only where no list is given. */
function extraAuthorities(): readonly string[] {
  if (getCACertificates !== undefined) return getCACertificates('extra');
  const { NODE_EXTRA_CA_CERTS: path = '' } = process.env;
  try {
    return path === '' ? [] : [readFileSync(path, 'utf8')];
  } catch {
    // Node has warned of it.
    return [];
  }
}

function systemAuthorities(): readonly string[] {
  if (getCACertificates !== undefined) return getCACertificates('system');
  for (const path of SYSTEM_FILES) {
    try {
      return [readFileSync(path, 'utf8')];
    } catch {
      // It is not there: try the next one.
    }
  }
  return [];
}

/** Whether a text begins with a certificate that can be read. */
export function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
