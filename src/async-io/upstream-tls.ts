// TLS to an upstream server: whom it trusts, and which name the server must prove to have.

import { isIP } from 'node:net';
import type { SecureContext } from 'node:tls';
import { builtInModule } from '../base/built-in-module.ts';

/** Newer versions of Node know the authorities of the system, too. */
interface NewerTls {
  readonly getCACertificates?: (type: 'default' | 'system') => readonly string[];
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

export interface UpstreamTls {
  /** Made by tlsContext(), for any number of upstream servers. */
  readonly context: SecureContext;
  /** The name that the certificate must have (RFC 9525), which is sent as SNI (RFC 6066 3). */
  readonly servername: string | null;
}

/** What is wrong with the PEM text of authorities; null when nothing is. */
export function authorityProblem(pem: string): string | null {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) return 'it has no certificate in PEM format';
  const { X509Certificate } = builtInModule('node:crypto');
  try {
    for (const block of blocks) new X509Certificate(block);
    return null;
  } catch (error) {
    return `a certificate in it cannot be read: ${(error as Error).message}`;
  }
}

/**
 * The versions of TLS and the trusted authorities: `ca` as PEM, or those of Node and the system. It
 * takes memory and some milliseconds. Given a context, Node looks at no further option about these.
 */
export function tlsContext(ca: string | null): SecureContext {
  const trusted = ca ?? authorities();
  return builtInModule('node:tls').createSecureContext({ ca: trusted, minVersion: 'TLSv1.2' });
}

/**
 * Options of a connection to `host`. The certificate is always checked, also where the environment
 * of Node says otherwise. The name is given in any case: without one Node would take that of the
 * Host field, which may be the client's.
 */
export function tlsOptions({ context, servername }: UpstreamTls, host: string): object {
  return {
    secureContext: context,
    servername: servername ?? (isIP(host) === 0 ? host : ''),
    rejectUnauthorized: true,
  };
}

/** Undefined: those that Node brings. */
function authorities(): string[] | undefined {
  const { getCACertificates } = builtInModule('node:tls') as unknown as NewerTls;
  if (getCACertificates === undefined) return undefined;
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
}
