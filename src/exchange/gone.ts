// What those who wait for a client are told when it went away.

export function clientGone(): Error {
  return Object.assign(new Error('the client went away'), { code: 'ECONNRESET' });
}
