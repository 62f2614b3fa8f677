/** Field elements: the vectors that every implementation shares, and one encoding for each. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import {
  fieldBytes,
  fieldElementOf,
  FIELD_ORDER,
  isFieldElement,
  normalizeWorld,
  parseFieldElement,
  UnumError,
} from '@unum/verify';

import { refuses } from './help/assert.js';
import { jsonOf } from './help/files.js';

const { cases, world_cases } = jsonOf('verify/vectors/field_elements.json');

test('vectors', () => {
  assert.ok(cases.length >= 20, 'an empty file must not pass');
  for (const { name, input, code } of cases) {
    assert.equal(isFieldElement(input), code === null, name);
    if (code === null) assert.equal(parseFieldElement(input), input, name);
    else refuses(code, () => parseFieldElement(input), name);
  }
});

test("vectors of World's forms", () => {
  assert.ok(world_cases.length >= 10, 'an empty file must not pass');
  for (const { name, input, expected, code } of world_cases) {
    if (code === undefined) assert.equal(normalizeWorld(input), expected, name);
    else refuses(code, () => normalizeWorld(input), name);
  }
});

test('one encoding each', () => {
  let [below, above] = [0, 0];
  for (let i = 0; i < 500; i++) {
    const text = `0x${randomBytes(32).toString('hex')}`;
    try {
      const element = parseFieldElement(text);
      assert.equal(fieldElementOf(BigInt(text)), element);
      assert.equal(`0x${Buffer.from(fieldBytes(element)).toString('hex')}`, text);
      below++;
    } catch (error) {
      assert.ok(error instanceof UnumError && error.code === 'field_not_reduced');
      assert.notEqual(fieldElementOf(BigInt(text) % FIELD_ORDER), text);
      above++;
    }
  }
  assert.ok(below > 0 && above > 0, 'both kinds were seen');
});

test('numbers outside the field are no elements', () => {
  for (const value of [-1n, FIELD_ORDER, FIELD_ORDER + 5n]) refuses('field_not_reduced', () => fieldElementOf(value));
});
