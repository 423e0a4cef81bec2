// Faults are distinct negative numbers, each with a status and a text.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Fault, faultStatus, faultText } from '../../src/http/fault.ts';

it('every fault is a distinct negative number with a status and a text', () => {
  const faults = Object.values(Fault);
  assert.equal(new Set(faults).size, faults.length);
  assert.equal(new Set(faults.map(faultText)).size, faults.length);
  for (const fault of faults) {
    assert.ok(fault < 0);
    assert.ok([400, 408, 413, 414, 417, 431, 501, 505].includes(faultStatus(fault)));
  }
});

it('faults have the statuses of RFC 9110 and 6585', () => {
  assert.equal(faultStatus(Fault.BadRequestLine), 400);
  assert.equal(faultStatus(Fault.HeadTimeout), 408);
  assert.equal(faultStatus(Fault.BodyTimeout), 408);
  assert.equal(faultStatus(Fault.BodyTooLarge), 413);
  assert.equal(faultStatus(Fault.TargetTooLong), 414);
  assert.equal(faultStatus(Fault.BadExpectation), 417);
  assert.equal(faultStatus(Fault.HeadTooLarge), 431);
  assert.equal(faultStatus(Fault.TooManyFields), 431);
  assert.equal(faultStatus(Fault.TrailersTooLarge), 431);
  assert.equal(faultStatus(Fault.UnknownTransferCoding), 501);
  assert.equal(faultStatus(Fault.MethodTooLong), 501);
  assert.equal(faultStatus(Fault.UnsupportedVersion), 505);
});

/** The status for the client and the text for the log, of every fault. */
const MEANINGS: readonly [name: keyof typeof Fault, status: number, words: string][] = [
  ['BadRequestLine', 400, 'bad request line'],
  ['BadTarget', 400, 'bad target'],
  ['BadVersion', 400, 'bad version'],
  ['BadFieldName', 400, 'bad field name'],
  ['BadFieldValue', 400, 'bad field value'],
  ['BareLineFeed', 400, 'LF without CR'],
  ['BareCarriageReturn', 400, 'CR without LF'],
  ['ObsoleteFold', 400, 'line begins with white space'],
  ['MissingHost', 400, 'no Host'],
  ['BadHost', 400, 'bad Host'],
  ['BadContentLength', 400, 'bad Content-Length'],
  ['ConflictingFraming', 400, 'conflicting framing'],
  ['BadTransferEncoding', 400, 'bad Transfer-Encoding'],
  ['UnknownTransferCoding', 501, 'unknown transfer coding'],
  ['HeadTooLarge', 431, 'head too large'],
  ['TargetTooLong', 414, 'target too long'],
  ['TooManyFields', 431, 'too many fields'],
  ['UnsupportedVersion', 505, 'unsupported version'],
  ['BadChunk', 400, 'bad chunk'],
  ['ChunkExtensionsTooLong', 400, 'chunk extensions too long'],
  ['TrailersTooLarge', 431, 'trailers too large'],
  ['ForbiddenTrailer', 400, 'field not allowed in trailers'],
  ['BodyTooLarge', 413, 'body too large'],
  ['BadExpectation', 417, 'unknown expectation'],
  ['Incomplete', 400, 'incomplete message'],
  ['HeadTimeout', 408, 'head too slow'],
  ['BodyTimeout', 408, 'body too slow'],
  ['MethodTooLong', 501, 'method too long'],
];

it('every fault has its status and text', () => {
  for (const [name, status, words] of MEANINGS) {
    assert.equal(faultStatus(Fault[name]), status, name);
    assert.equal(faultText(Fault[name]), words, name);
  }
  assert.equal(MEANINGS.length, Object.keys(Fault).length);
});

it('a number that is not a fault is a 400 with its number as text', () => {
  assert.equal(faultStatus(-12_345), 400);
  assert.equal(faultText(-12_345), 'fault -12345');
});
