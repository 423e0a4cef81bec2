// The faults of a response, as negative numbers and as texts.

export const ResponseFault = {
  StatusLine: -1,
  Field: -2,
  Length: -3,
  Coding: -4,
  Both: -5,
  Chunk: -6,
  Trailer: -7,
  HeadTooLong: -8,
  Switched: -9,
} as const;
export type ResponseFault = (typeof ResponseFault)[keyof typeof ResponseFault];

const TEXTS: Readonly<Record<ResponseFault, string>> = {
  [ResponseFault.StatusLine]: 'no status line of HTTP/1.0 or 1.1',
  [ResponseFault.Field]: 'an invalid field line',
  [ResponseFault.Length]: 'an invalid Content-Length',
  [ResponseFault.Coding]: 'an invalid Transfer-Encoding',
  [ResponseFault.Both]: 'both Content-Length and Transfer-Encoding',
  [ResponseFault.Chunk]: 'an invalid chunk',
  [ResponseFault.Trailer]: 'an invalid trailer section',
  [ResponseFault.HeadTooLong]: 'a head that is too long',
  [ResponseFault.Switched]: 'status 101 without a request to upgrade',
};

export function responseFaultText(fault: number): string {
  return TEXTS[fault as ResponseFault];
}
