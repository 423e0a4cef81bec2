// Everything that can be wrong with the bytes of a request, as negative numbers: functions return a
// fault in place of a count or a length. Texts are only for logs.

export const Fault = {
  BadRequestLine: -1,
  BadTarget: -2,
  BadVersion: -3,
  BadFieldName: -4,
  BadFieldValue: -5,
  BareLineFeed: -6,
  BareCarriageReturn: -7,
  ObsoleteFold: -8,
  MissingHost: -9,
  BadHost: -10,
  BadContentLength: -11,
  ConflictingFraming: -12,
  BadTransferEncoding: -13,
  UnknownTransferCoding: -14,
  HeadTooLarge: -15,
  TargetTooLong: -16,
  TooManyFields: -17,
  UnsupportedVersion: -18,
  BadChunk: -19,
  ChunkExtensionsTooLong: -20,
  TrailersTooLarge: -21,
  ForbiddenTrailer: -22,
  BodyTooLarge: -23,
  BadExpectation: -24,
  /** The client ended its stream in the middle of a message. */
  Incomplete: -25,
  HeadTimeout: -26,
  BodyTimeout: -27,
  MethodTooLong: -28,
} as const;
export type Fault = (typeof Fault)[keyof typeof Fault];

/** By number, as metrics name them: bad_request_line. */
const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(Fault).map(([name, fault]) => [
    fault,
    name.replace(/(?<=[a-z])[A-Z]/g, (letter) => `_${letter}`).toLowerCase(),
  ]),
);

export function faultName(fault: number): string {
  return NAMES.get(fault) ?? 'other';
}

interface FaultMeaning {
  readonly status: number;
  readonly text: string;
}

const MEANINGS: Readonly<Record<Fault, FaultMeaning>> = {
  [Fault.BadRequestLine]: { status: 400, text: 'bad request line' },
  [Fault.BadTarget]: { status: 400, text: 'bad target' },
  [Fault.BadVersion]: { status: 400, text: 'bad version' },
  [Fault.BadFieldName]: { status: 400, text: 'bad field name' },
  [Fault.BadFieldValue]: { status: 400, text: 'bad field value' },
  [Fault.BareLineFeed]: { status: 400, text: 'LF without CR' },
  [Fault.BareCarriageReturn]: { status: 400, text: 'CR without LF' },
  [Fault.ObsoleteFold]: { status: 400, text: 'line begins with white space' },
  [Fault.MissingHost]: { status: 400, text: 'no Host' },
  [Fault.BadHost]: { status: 400, text: 'bad Host' },
  [Fault.BadContentLength]: { status: 400, text: 'bad Content-Length' },
  [Fault.ConflictingFraming]: { status: 400, text: 'conflicting framing' },
  [Fault.BadTransferEncoding]: { status: 400, text: 'bad Transfer-Encoding' },
  [Fault.UnknownTransferCoding]: { status: 501, text: 'unknown transfer coding' },
  [Fault.HeadTooLarge]: { status: 431, text: 'head too large' },
  [Fault.TargetTooLong]: { status: 414, text: 'target too long' },
  [Fault.TooManyFields]: { status: 431, text: 'too many fields' },
  [Fault.UnsupportedVersion]: { status: 505, text: 'unsupported version' },
  [Fault.BadChunk]: { status: 400, text: 'bad chunk' },
  [Fault.ChunkExtensionsTooLong]: { status: 400, text: 'chunk extensions too long' },
  [Fault.TrailersTooLarge]: { status: 431, text: 'trailers too large' },
  [Fault.ForbiddenTrailer]: { status: 400, text: 'field not allowed in trailers' },
  [Fault.BodyTooLarge]: { status: 413, text: 'body too large' },
  [Fault.BadExpectation]: { status: 417, text: 'unknown expectation' },
  [Fault.Incomplete]: { status: 400, text: 'incomplete message' },
  [Fault.HeadTimeout]: { status: 408, text: 'head too slow' },
  [Fault.BodyTimeout]: { status: 408, text: 'body too slow' },
  [Fault.MethodTooLong]: { status: 501, text: 'method too long' },
};

/** The status code of the response to a fault; 400 for a number that is not a Fault. */
export function faultStatus(fault: number): number {
  return meaningOf(fault)?.status ?? 400;
}

/** A short text for the debug log. */
export function faultText(fault: number): string {
  return meaningOf(fault)?.text ?? `fault ${fault}`;
}

function meaningOf(fault: number): FaultMeaning | undefined {
  return (MEANINGS as Readonly<Record<number, FaultMeaning>>)[fault];
}
