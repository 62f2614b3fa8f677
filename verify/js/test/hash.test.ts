/** Hashes against the vectors of `protocol/identity`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { externalNullifier, hashSignal, hashToField } from '@unum/verify';

import { refuses } from './help/assert.js';
import { jsonOf } from './help/files.js';

const vectors = jsonOf('protocol/identity/vectors/worldid3.json');
const bytes = (text: string) => new TextEncoder().encode(text);

test('signals', () => {
  assert.ok(vectors.signals.length >= 3);
  for (const { signal_utf8, signalHash } of vectors.signals) {
    assert.equal(hashSignal(signal_utf8), signalHash);
    assert.equal(hashSignal(bytes(signal_utf8)), signalHash);
  }
});

test('external nullifiers', () => {
  assert.ok(vectors.external_nullifiers.length >= 2);
  for (const { app_id, action, app_id_hash, external_nullifier } of vectors.external_nullifiers) {
    assert.equal(hashToField(bytes(app_id)), app_id_hash);
    assert.equal(externalNullifier(app_id, action), external_nullifier);
  }
  assert.equal(externalNullifier('app'), externalNullifier('app', ''));
});

test('hex of whole bytes is a signal of those bytes', () => {
  assert.equal(hashSignal('0x6869'), hashSignal('hi'));
  assert.equal(hashSignal('0x6A'), hashSignal('0x6a'));
  assert.equal(hashSignal('0x'), hashSignal(''));
  for (const text of ['0x686', '0X6869', '6869', '0x68 69', '0xgg']) {
    assert.equal(hashSignal(text), hashToField(bytes(text)), text);
  }
});

test('half a surrogate pair is no text', () => {
  refuses('text_malformed', () => hashSignal('\ud83d'));
  refuses('text_malformed', () => externalNullifier('\ude00'));
  assert.notEqual(hashSignal('😀'), hashSignal('\ufffd'));
});
