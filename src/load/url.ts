// Checks the URL of a load more strictly than Node's parser, which takes `http:///x` for the host
// x, and 8080 for the address 0.0.31.144. A problem is one line.

const SHOWN_MAX = 80;
const EXAMPLE = 'http://127.0.0.1:8080/';
/** The authority of a URL. */
const AUTHORITY = /^https?:\/\/([^/?#\\]*)/i;

/** The URL, or what is wrong with it. `hasTls`: it may begin with https. */
export function parseUrl(text: string, hasTls = false): URL | string {
  const shown = shownUrl(text);
  if (!hasTls && /^https:/i.test(text)) return `${shown}: TLS is not supported, use http://`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0020\u007f\\]/.test(text)) {
    return `${shown}: spaces, backslashes and control characters are not allowed; a space is %20`;
  }
  const authority = AUTHORITY.exec(text)?.[1];
  if (authority === undefined) return `${shown}: not a URL such as ${EXAMPLE}`;
  if (authority.includes('@')) {
    return `${shown}: user and password are not allowed; send the field Authorization instead`;
  }
  const { host, port } = split(authority);
  if (host === '') return `${shown}: the host is missing, as in ${EXAMPLE}`;
  if (/^\d+$/.test(host)) {
    return `${shown}: ${host} is not a host; did you mean http://127.0.0.1:${host}/?`;
  }
  if (port !== '' && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    return `${shown}: the port is ${port}, allowed: 1 to 65535`;
  }
  return URL.canParse(text) ? new URL(text) : `${shown}: not a URL such as ${EXAMPLE}`;
}

/** Host and port. An IPv6 address in brackets has colons of its own. */
function split(authority: string): { readonly host: string; readonly port: string } {
  const colon = authority.lastIndexOf(':');
  if (colon < 0 || authority.endsWith(']')) return { host: authority, port: '' };
  return { host: authority.slice(0, colon), port: authority.slice(colon + 1) };
}

/** On one line, without passwords. */
function shownUrl(text: string): string {
  const bare = text.replace(/\/\/[^/?#]*@/, '//...@');
  const cut = bare.length > SHOWN_MAX ? `${bare.slice(0, SHOWN_MAX)}...` : bare;
  const plain = /^[\u0021-\u007e]+$/.test(cut);
  return plain ? cut : JSON.stringify(cut);
}
