// Faults are distinct negative numbers, each with its status and its words.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Fault, faultStatus, faultText } from '../../src/http/fault.ts';

it('every fault is a negative number of its own with a status and words', () => {
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

it('a number that is no fault is a 400 and says which it is', () => {
  assert.equal(faultStatus(-12_345), 400);
  assert.equal(faultText(-12_345), 'fault -12345');
});
