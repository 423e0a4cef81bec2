// Why a connection ended, as metrics count it.

export type CloseReason =
  /** The client ended its stream, with nothing that lacks a response. */
  | 'client'
  /** The client, or the network, broke the connection. */
  | 'client_reset'
  /** A response said that it is the last: by the client's wish, a limit or a handler. */
  | 'response'
  | 'timeout'
  /** The request was not valid. */
  | 'fault'
  /** No connection was free for the client. */
  | 'overload'
  /** It was idle, and its slot was needed for another client. */
  | 'evicted'
  /** A response was given up after it had begun. */
  | 'aborted'
  /** The server closes. */
  | 'drain'
  | 'other';

/** Those that metrics show from the start. */
export const CLOSE_REASONS: readonly CloseReason[] = [
  'client',
  'client_reset',
  'response',
  'timeout',
  'fault',
  'overload',
  'evicted',
  'aborted',
  'drain',
  'other',
];

export function noteClose(
  connection: { closeReason: CloseReason | '' },
  reason: CloseReason,
): void {
  if (connection.closeReason === '') connection.closeReason = reason;
}
