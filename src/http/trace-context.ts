// The fields traceparent and tracestate (W3C Trace Context, www.w3.org/TR/trace-context-2). What is
// not exactly of that form is as if it was not sent (section 3.2.2).

/** What a client says of the trace that its request belongs to. */
export interface TraceContext {
  /** 32 hexadecimal digits in lower case. */
  readonly traceId: string;
  /** 16 hexadecimal digits: the span of the client. */
  readonly parentId: string;
  /** The flags, 0 to 255. */
  readonly flags: number;
  /** Bit 0 of the flags: the client may have recorded its span. */
  readonly isSampled: boolean;
  /** The valid value of tracestate, '' without one. */
  readonly state: string;
}

const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const STATE_MEMBERS_MAX = 32;
const STATE_MEMBER = /^([a-z0-9][a-z0-9_\-*/@]{0,255})=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{1,256})$/;

/** Null when there is no valid traceparent; `state` is ignored then. */
export function traceContext(
  parent: string | undefined,
  state: string | undefined,
): TraceContext | null {
  const match = parent === undefined ? null : PARENT.exec(parent);
  if (match === null) return null;
  const [, version, traceId, parentId, flagText, more] = match;
  if (version === 'ff' || (version === '00' && more !== undefined)) return null;
  if (/^0+$/.test(traceId) || /^0+$/.test(parentId)) return null;
  const flags = Number.parseInt(flagText, 16);
  const isSampled = (flags & 1) === 1;
  return { traceId, parentId, flags, isSampled, state: traceState(state ?? '') };
}

/** The value of tracestate without empty members; '' when it is not valid. */
function traceState(text: string): string {
  const members = text.split(',').map((member) => member.trim());
  const given = members.filter((member) => member !== '');
  const keys = given.map((member) => STATE_MEMBER.exec(member)?.[1]);
  const isValid = !keys.includes(undefined) && new Set(keys).size === keys.length;
  return isValid && keys.length <= STATE_MEMBERS_MAX ? given.join(',') : '';
}

/** Whether a value may be sent as traceparent. */
export function isTraceparent(text: string): boolean {
  return traceContext(text, undefined) !== null;
}
