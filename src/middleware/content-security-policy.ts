// The value of Content-Security-Policy (CSP Level 3, 2.2), from an object of directives. What
// browsers would silently ignore, or would take for the name of a host, throws.

import { shown } from '../base/shown.ts';

/** The sources of each directive; an empty list for a directive without a value. */
export type ContentSecurityPolicy = Readonly<Record<string, readonly string[]>>;

const OWNER = 'securityHeaders: contentSecurityPolicy';
const DIRECTIVES = [
  'default-src',
  'child-src',
  'connect-src',
  'font-src',
  'frame-src',
  'img-src',
  'manifest-src',
  'media-src',
  'object-src',
  'script-src',
  'script-src-attr',
  'script-src-elem',
  'style-src',
  'style-src-attr',
  'style-src-elem',
  'worker-src',
  'base-uri',
  'form-action',
  'frame-ancestors',
  'report-to',
  'report-uri',
  'require-trusted-types-for',
  'sandbox',
  'trusted-types',
  'upgrade-insecure-requests',
];
/** Without quotes these would be names of hosts. */
const KEYWORDS = [
  'self',
  'none',
  'unsafe-inline',
  'unsafe-eval',
  'unsafe-hashes',
  'wasm-unsafe-eval',
  'strict-dynamic',
  'report-sample',
  'inline-speculation-rules',
];
const NONCE_OR_HASH = /^(?:nonce|sha256|sha384|sha512)-/i;
/** Directives whose values are no sources. */
const OTHER_VALUES = ['report-to', 'sandbox', 'trusted-types'];
/** Visible ASCII, except what ends a directive or a policy. */
const SOURCE = /^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/;
const WHOLE_VALUE = /^[\x20-\x7e]+$/;

export function policyText(policy: ContentSecurityPolicy | string): string {
  if (typeof policy === 'string') {
    if (WHOLE_VALUE.test(policy)) return policy;
    throw new TypeError(`${OWNER} is printable ASCII text, given ${shown(policy)}`);
  }
  const directives = Object.entries(policy).map(([name, sources]) => directive(name, sources));
  if (directives.length > 0) return directives.join('; ');
  throw new TypeError(`${OWNER} has no directive; false turns the field off`);
}

function directive(name: string, sources: unknown): string {
  if (!DIRECTIVES.includes(name)) {
    throw new TypeError(`${OWNER}: there is no directive ${shown(name)}`);
  }
  if (!Array.isArray(sources)) {
    throw new TypeError(`${OWNER}: ${name} has a list of sources, given ${shown(sources)}`);
  }
  for (const source of sources) checkSource(name, source);
  if (sources.length > 1 && sources.includes("'none'")) {
    throw new TypeError(`${OWNER}: ${name}: 'none' stands alone`);
  }
  return [name, ...sources].join(' ');
}

function checkSource(name: string, source: unknown): void {
  const owner = `${OWNER}: ${name}: ${shown(source)}`;
  if (typeof source !== 'string' || !SOURCE.test(source)) {
    throw new TypeError(`${owner} is not a source: text without spaces, commas and semicolons`);
  }
  if (OTHER_VALUES.includes(name)) return;
  const needsQuotes = KEYWORDS.includes(source.toLowerCase()) || NONCE_OR_HASH.test(source);
  if (needsQuotes) throw new TypeError(`${owner} needs quotes: "'${source}'"`);
}
