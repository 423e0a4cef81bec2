// What can be wrong with an answer, as negative numbers and in words.

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
  [ResponseFault.Field]: 'a field that is none',
  [ResponseFault.Length]: 'a wrong Content-Length',
  [ResponseFault.Coding]: 'a wrong Transfer-Encoding',
  [ResponseFault.Both]: 'Content-Length and Transfer-Encoding together',
  [ResponseFault.Chunk]: 'a wrong chunk',
  [ResponseFault.Trailer]: 'a wrong trailer section',
  [ResponseFault.HeadTooLong]: 'a head without an end',
  [ResponseFault.Switched]: 'a change of protocol that nobody asked for',
};

export function responseFaultText(fault: number): string {
  return TEXTS[fault as ResponseFault];
}
