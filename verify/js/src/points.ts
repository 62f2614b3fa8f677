/**
 * Points of BN254 from outside. The one place that makes them, with every check: coordinates below `q` (a larger one is
 * a second encoding), on the curve, in the subgroup of order `r`, and not the identity, which no honest proof or key
 * contains.
 *
 * Bytes are in Ethereum's order (EIP-196, EIP-197): 32 bytes big-endian each, an element of the quadratic extension as
 * `[c1, c0]`.
 */

import { bn254 } from '@noble/curves/bn254.js';

import { bytesToHex, fromHex } from './bytes.js';
import type { Proof } from './proof.js';

/** A valid point of G1. */
export type G1 = InstanceType<typeof bn254.G1.Point>;
/** A valid point of G2. */
export type G2 = InstanceType<typeof bn254.G2.Point>;
/** `c0 + c1·u`. */
export type Extension = readonly [c0: bigint, c1: bigint];

/** The points of a proof. */
export interface Points {
  readonly a: G1;
  readonly b: G2;
  readonly c: G1;
}

/** The order `q` of the field of coordinates. */
export const COORDINATE_ORDER = bn254.fields.Fp.ORDER;

/** Bytes of a point of G1. */
export const G1_LENGTH = 64;
/** Bytes of a point of G2. */
export const G2_LENGTH = 128;

/** The point of G1 with these coordinates; undefined if there is no valid one. */
export function g1(x: bigint, y: bigint): G1 | undefined {
  return [x, y].every(isCoordinate) ? valid(() => bn254.G1.Point.fromAffine({ x, y })) : undefined;
}

/** The point of G2 with these coordinates; undefined if there is no valid one. */
export function g2([x0, x1]: Extension, [y0, y1]: Extension): G2 | undefined {
  if (![x0, x1, y0, y1].every(isCoordinate)) return undefined;
  return valid(() => bn254.G2.Point.fromAffine({ x: { c0: x0, c1: x1 }, y: { c0: y0, c1: y1 } }));
}

/** Reads 64 bytes. */
export function g1FromBytes(bytes: Uint8Array): G1 | undefined {
  return g1(word(bytes, 0), word(bytes, 1));
}

/** Reads 128 bytes. */
export function g2FromBytes(bytes: Uint8Array): G2 | undefined {
  return g2([word(bytes, 1), word(bytes, 0)], [word(bytes, 3), word(bytes, 2)]);
}

/** The points of a proof; undefined unless every one is valid. */
export function pointsOf(proof: Proof): Points | undefined {
  const bytes = fromHex(proof);
  const [a, b, c] = [
    g1FromBytes(bytes.subarray(0, G1_LENGTH)),
    g2FromBytes(bytes.subarray(G1_LENGTH, G1_LENGTH + G2_LENGTH)),
    g1FromBytes(bytes.subarray(G1_LENGTH + G2_LENGTH)),
  ];
  return a && b && c && { a, b, c };
}

/** The coordinates of a point in Ethereum's order. */
export function wordsOfG1(point: G1): bigint[] {
  const { x, y } = point.toAffine();
  return [x, y];
}

/** The coordinates of a point in Ethereum's order. */
export function wordsOfG2(point: G2): bigint[] {
  const { x, y } = point.toAffine();
  return [x.c1, x.c0, y.c1, y.c0];
}

/** Word `index` of 32 bytes as a number, which need not be below `q`. */
function word(bytes: Uint8Array, index: number): bigint {
  return BigInt(`0x${bytesToHex(bytes.subarray(32 * index, 32 * (index + 1)))}`);
}

function isCoordinate(value: bigint): boolean {
  return value >= 0n && value < COORDINATE_ORDER;
}

/** Noble says no by throwing, and lets the identity pass where a curve may have it. */
function valid<P extends { is0(): boolean; assertValidity(): void }>(make: () => P): P | undefined {
  try {
    const point = make();
    if (point.is0()) return undefined;
    point.assertValidity(); // on the curve and in the subgroup
    return point;
  } catch {
    return undefined;
  }
}
