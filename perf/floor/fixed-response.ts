// Frozen: do not tune, figures depend on it. The fixed responses of the floors: the same fields and
// as many bytes as the server's responses, with nothing computed for a request.

const HELLO = 'Hello, World!';
const KILOBYTE = 1024;

/** A field that pads the head: it stands for ETag and Last-Modified of a file. */
const FILL_NAME = 'ETag: ';
/** Its name, its line end, and a value of one byte. */
const FILL_BYTES_MIN = FILL_NAME.length + 3;

/** `hello` is 13 bytes of text, `1024` a kilobyte; `bytes` is head and body together, 0 for any. */
export function floorResponse(name: string, bytes: number): Buffer {
  if (name !== 'hello' && name !== '1024') throw new Error(`no answer is called ${name}`);
  const body = name === 'hello' ? HELLO : 'x'.repeat(KILOBYTE);
  const plain = respond('', body);
  const missing = bytes === 0 ? 0 : bytes - plain.length;
  if (missing === 0) return plain;
  if (missing < FILL_BYTES_MIN) throw new Error(`an answer of ${bytes} bytes cannot be made`);
  return respond(`${FILL_NAME}${'x'.repeat(missing - FILL_BYTES_MIN + 1)}\r\n`, body);
}

function respond(fill: string, body: string): Buffer {
  const head =
    'HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n' +
    `Content-Type: text/plain; charset=utf-8\r\n${fill}Content-Length: ${body.length}\r\n\r\n`;
  return Buffer.from(head + body, 'latin1');
}
