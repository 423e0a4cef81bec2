// The error that handlers get when their client has left.

export function clientGone(): Error {
  return Object.assign(new Error('the client closed the connection'), { code: 'ECONNRESET' });
}
