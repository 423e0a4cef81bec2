// What is no request, and gets 400.

export const BAD_REQUESTS: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'GET /hello HTTP/1.1\r\n\r\n',
  'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n',
  'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  'GET /hello HTTP/1.1\nHost: a\n\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello there, this is no HTTP\r\n\r\n',
  'GET /he llo HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /hello HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n',
];
