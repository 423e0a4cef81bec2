// The error that handlers get when no more of their response can reach the client.

export function clientGone(): Error {
  return Object.assign(new Error('the connection closed before the response was complete'), {
    code: 'ECONNRESET',
  });
}
