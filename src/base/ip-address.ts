// Whether a text is a literal IP address, as inet_pton() reads it.

const BYTE = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);
const IPV6_GROUP = /^[0-9a-f]{1,4}$/i;
const IPV6_GROUPS = 8;
/** The interface of a link-local address, as in fe80::1%eth0. */
const ZONE = /%[0-9a-z.:-]+$/i;

/** 4 or 6, or 0 when it is none. */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (IPV4.test(text)) return 4;
  return isIpv6(text.replace(ZONE, '')) ? 6 : 0;
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  let count = groups.length;
  // The last two groups may be an IPv4 address.
  const last = groups.at(-1) ?? '';
  if (text.endsWith(last) && IPV4.test(last)) {
    groups.pop();
    count += 1;
  }
  if (!groups.every((group) => IPV6_GROUP.test(group))) return false;
  return halves.length === 2 ? count < IPV6_GROUPS : count === IPV6_GROUPS;
}
