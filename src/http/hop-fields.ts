// Fields that are for one connection only, which a proxy does not forward (RFC 9110 7.6.1).

/** Those that must be removed whether or not Connection names them, and the framing itself. */
const HOP_FIELDS = [
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** The lower-case names of fields that are not forwarded, by the value of Connection. */
export function hopFields(connection: string | undefined): ReadonlySet<string> {
  const names = new Set(HOP_FIELDS);
  for (const option of connection?.split(',') ?? []) names.add(option.trim().toLowerCase());
  return names;
}
