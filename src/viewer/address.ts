// The address of the metrics of a server, as people type it: 8080, localhost:8080,
// https://host:port/metrics.

import { parseUrl } from '../load/url.ts';

export const DEFAULT_PATH = '/metrics';

/** The URL of the metrics, or what is wrong with the text, in one line. */
export function metricsUrl(text: string): URL | string {
  if (/^\d{6,}$/.test(text)) return `${text.slice(0, 20)}: the port is from 1 to 65535`;
  if (/^(?:https?:\/\/)?[^/?#]*@/i.test(text)) {
    return (
      'user and password are not allowed in the address, which is shown: set ' +
      "VIBING_METRICS_AUTHORIZATION to the field that a proxy wants, as 'Bearer TOKEN'"
    );
  }
  const url = parseUrl(withScheme(text), true);
  if (typeof url === 'string') return url;
  // A fragment is not sent.
  url.hash = '';
  if (url.pathname === '/' && url.search === '') url.pathname = DEFAULT_PATH;
  return url;
}

function withScheme(text: string): string {
  if (/^\d{1,5}$/.test(text)) return `http://127.0.0.1:${text}`;
  return /^[\w.-]+(:\d+)?([/?#]|$)/.test(text) || text.startsWith('[') ? `http://${text}` : text;
}

/** Whether what is sent there cannot be read on the way: over TLS, or on this machine. */
export function isPrivate(url: URL): boolean {
  return url.protocol === 'https:' || isThisMachine(url);
}

export function isThisMachine({ hostname }: URL): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(hostname);
}
