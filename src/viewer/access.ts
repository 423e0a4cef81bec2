// Checks how a server is to be asked for its metrics. A problem is one line.

import { isPrivate, isThisMachine } from './address.ts';
import { isCertificate } from './source/authorities.ts';
import type { AccessOptions } from './source/fetch-snapshot.ts';

/** What Node writes as the value of a field (RFC 9110 5.5), without spaces around it. */
const FIELD_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

export function accessProblem(url: URL, access: AccessOptions): string | null {
  const { authorization, ca, insecure = false } = access;
  const isTls = url.protocol === 'https:';
  if (ca !== undefined && insecure) return 'ca and insecure exclude each other';
  if (!isTls && (ca !== undefined || insecure)) return 'ca and insecure are only for https URLs';
  if (ca !== undefined && !isCertificate(ca)) {
    return 'ca: not a certificate in the PEM format (-----BEGIN CERTIFICATE-----)';
  }
  if (authorization === undefined) return null;
  if (!FIELD_VALUE.test(authorization)) {
    return "authorization: not the value of a field such as 'Bearer TOKEN'";
  }
  if (insecure && !isThisMachine(url)) {
    return (
      'authorization: with insecure it could be sent to another server than the one that is ' +
      'meant: give the certificate of its authority with ca (--ca FILE)'
    );
  }
  if (isPrivate(url)) return null;
  return 'authorization: it would be sent without encryption to another machine: use https';
}
