/**
 * Elements of BN254's scalar field, and the nouns that are such elements.
 *
 * The one decoder: `0x` and exactly 64 lower-case hex digits, big-endian, below the field's order `r`. Anything else is
 * refused, because two encodings of one nullifier are two votes and two payments. What is decoded stays text: it is
 * canonical, so that `===`, a `Map` and a database's UNIQUE all mean equality of elements.
 *
 * Knows nothing of curves, hashes or proofs.
 */

import { fromHex, isLowerHex } from './bytes.js';
import { UnumError } from './error.js';

/** The order `r` of BN254's scalar field (EIP-197). */
export const FIELD_ORDER = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n;

declare const noun: unique symbol;

/** A field element as canonical text. Only the functions of this package make one; never cast to it. */
export type FieldElement<Noun extends string = string> = string & { readonly [noun]: Noun };

/** What one person's secret gives for one external nullifier: the same every time, unlinkable to any other. */
export type Nullifier = FieldElement<'nullifier'>;
/** Root of the set of everyone's commitments. */
export type Root = FieldElement<'root'>;
/** Hash of the message that a proof binds. */
export type SignalHash = FieldElement<'signal hash'>;
/** What a nullifier is for, hashed: an app's action. */
export type ExternalNullifier = FieldElement<'external nullifier'>;

/**
 * Reads canonical text.
 *
 * @throws {UnumError} `field_malformed` or `field_not_reduced`
 */
export function parseFieldElement<Noun extends string>(text: unknown): FieldElement<Noun> {
  if (!isLowerHex(text, 64)) {
    throw new UnumError('field_malformed', 'a field element is 0x and exactly 64 lower-case hex digits');
  }
  return reduced(text);
}

/** Whether `text` is canonical. */
export function isFieldElement(text: unknown): text is FieldElement {
  return isLowerHex(text, 64) && BigInt(text) < FIELD_ORDER;
}

/**
 * Makes World's hex canonical: its tools drop leading zeros and may write upper case. For values that come from World's
 * tools only; what our own API sends is read with {@link parseFieldElement}.
 *
 * @param hex `0x` and 1 to 64 hex digits
 * @throws {UnumError} `field_malformed` or `field_not_reduced`
 */
export function normalizeWorld<Noun extends string>(hex: unknown): FieldElement<Noun> {
  if (typeof hex !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(hex)) {
    throw new UnumError('field_malformed', 'a field element of World ID is 0x and 1 to 64 hex digits');
  }
  return reduced(`0x${hex.slice(2).toLowerCase().padStart(64, '0')}`);
}

/**
 * The element with this value.
 *
 * @throws {UnumError} `field_not_reduced` unless `0 <= value < r`
 */
export function fieldElementOf<Noun extends string>(value: bigint): FieldElement<Noun> {
  if (value < 0n) throw new UnumError('field_not_reduced', 'a field element is not negative');
  if (value >= FIELD_ORDER) throw notReduced();
  return `0x${value.toString(16).padStart(64, '0')}` as FieldElement<Noun>;
}

/** 32 bytes, big-endian. */
export function fieldBytes(element: FieldElement): Uint8Array {
  return fromHex(element);
}

function reduced<Noun extends string>(text: string): FieldElement<Noun> {
  if (BigInt(text) >= FIELD_ORDER) throw notReduced();
  return text as FieldElement<Noun>;
}

function notReduced(): UnumError {
  return new UnumError('field_not_reduced', "value is not below the field's order");
}
