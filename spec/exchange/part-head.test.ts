// The head of a part by itself: names of fields and parameters in any case, and special values.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parsePartHead } from '../../src/exchange/part-head.ts';

const DISPOSITION = 'Content-Disposition: form-data; name="a"';

it('has the same names in any case', () => {
  for (const head of [
    'content-disposition: form-data; name="a"; filename="f"\r\ncontent-type: x/y',
    'CONTENT-DISPOSITION: FORM-DATA; NAME="a"; FileName=f\r\nCONTENT-TYPE:x/y',
  ]) {
    assert.deepEqual(parsePartHead(head), { name: 'a', filename: 'f', type: 'x/y' });
  }
});

it('has the type of text without a Content-Type, or with an empty one', () => {
  for (const line of ['', '\r\nContent-Type:', '\r\nContent-Type: \t']) {
    const { filename, type } = parsePartHead(DISPOSITION + line);
    assert.deepEqual([filename, type], [undefined, 'text/plain']);
  }
});

it('may have a Content-Transfer-Encoding that changes nothing', () => {
  for (const value of ['7bit', '8BIT', 'Binary']) {
    assert.equal(parsePartHead(`${DISPOSITION}\r\nContent-Transfer-Encoding: ${value}`).name, 'a');
  }
  for (const value of ['base64', 'BASE64', 'quoted-printable', '', '8bits', 'binary, 8bit']) {
    const head = `${DISPOSITION}\r\ncontent-TRANSFER-encoding: ${value}`;
    assert.throws(() => parsePartHead(head), { status: 400 }, value);
  }
});

it('names a parameter once, and never as filename*', () => {
  for (const parameters of [
    'name="a"; NAME="b"',
    'name="a"; filename="b"; FileName="c"',
    'name="a"; filename*=UTF-8\'\'b',
    'name="a"; FileName*=UTF-8\'\'b',
    'filename="a"',
  ]) {
    const head = `Content-Disposition: form-data; ${parameters}`;
    assert.throws(() => parsePartHead(head), { status: 400 }, parameters);
  }
});

it('has the escapes of browsers in any case, and no others', () => {
  const head = 'Content-Disposition: form-data; name="a%22%0D%0a%0A%25%2"; ; filename=""';
  assert.deepEqual(parsePartHead(head), {
    name: 'a"\r\n\n%25%2',
    filename: '',
    type: 'text/plain',
  });
});
