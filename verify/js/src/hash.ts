/**
 * Hashing bytes to a field element by World ID's rule, `keccak256(bytes) >> 8`, and what an app hashes: its signal and
 * its action. The vectors in `protocol/identity/vectors/worldid3.json` are the judge.
 */

import { keccak_256 } from '@noble/hashes/sha3.js';

import { bytesToHex, concatBytes, hexToBytes, utf8 } from './bytes.js';
import { fieldBytes, type ExternalNullifier, type FieldElement, type SignalHash } from './field.js';

/** `keccak256(bytes) >> 8`. 248 bits, so always below the field's order. */
export function hashToField<Noun extends string>(bytes: Uint8Array): FieldElement<Noun> {
  return `0x00${bytesToHex(keccak_256(bytes).subarray(0, 31))}` as FieldElement<Noun>;
}

/**
 * Hash of a signal: what the human says, which the proof binds. Text of `0x` and an even number of hex digits stands for
 * those bytes, any other text for its UTF-8 (World ID 3). So `0x6869` and `hi` are one signal: an app for which they
 * differ passes bytes.
 *
 * @throws {UnumError} `text_malformed`
 */
export function hashSignal(signal: string | Uint8Array): SignalHash {
  if (typeof signal !== 'string') return hashToField(signal);
  return hashToField(/^0x(?:[0-9a-fA-F]{2})*$/.test(signal) ? hexToBytes(signal.slice(2)) : utf8(signal));
}

/**
 * What a nullifier of this app and action is for: `hash_to_field(be32(hash_to_field(app_id)) ‖ action)` (World ID 3).
 * An absent action is the empty one.
 *
 * @throws {UnumError} `text_malformed`
 */
export function externalNullifier(appId: string, action = ''): ExternalNullifier {
  return hashToField(concatBytes(fieldBytes(hashToField(utf8(appId))), utf8(action)));
}
