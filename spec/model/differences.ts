// stub
import type { LlhttpError, LlhttpMessage } from './llhttp.ts';
import type { End, Message } from './model.ts';
export function classifyAccepted(_m: Message, _b: Uint8Array, e: LlhttpError, s: number): string {
  return `accepted ${e.code} ${e.reason} ${s}`;
}
export function classifyParts(part: string, _m: Message, _o: LlhttpMessage): string {
  return `parts ${part}`;
}
export function classifyRefused(end: End, rule: string, _o: LlhttpMessage): string {
  return `${end.kind} ${rule}`;
}
