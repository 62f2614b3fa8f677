/**
 * The bytes of a Groth16 proof: eight words of 32 bytes in Ethereum's order,
 * `A.x A.y B.x₁ B.x₀ B.y₁ B.y₀ C.x C.y`, as `0x` and exactly 512 lower-case hex digits.
 *
 * A proof can be made anew by anyone without any secret: two different texts can prove the same thing, and the text
 * identifies nothing. What identifies a use is the nullifier.
 *
 * Knows no curve, so that a page which only passes proofs on need not load one: `points.ts` does.
 */

import { isLowerHex } from './bytes.js';
import { UnumError } from './error.js';

declare const proof: unique symbol;

/** A proof as text. Its words are unchecked: whether they are points, and prove anything, is for the verifier to say. */
export type Proof = string & { readonly [proof]: true };

/** World's nested form: `[[a0, a1], [[b00, b01], [b10, b11]], [c0, c1]]`, words of `0x` and 64 hex digits. */
export type NestedProof = [[string, string], [[string, string], [string, string]], [string, string]];

/**
 * Reads a proof.
 *
 * @throws {UnumError} `proof_malformed`
 */
export function parseProof(text: unknown): Proof {
  if (!isLowerHex(text, 512)) throw malformed('a proof is 0x and exactly 512 lower-case hex digits');
  return text as string as Proof;
}

/**
 * Reads a proof in one of World's forms: packed (hex of either case) or nested (words of 1 to 64 digits, as its tools
 * drop leading zeros), the latter also as JSON text. For what comes from World's tools only.
 *
 * @throws {UnumError} `proof_malformed`
 */
export function normalizeWorldProof(form: unknown): Proof {
  if (typeof form !== 'string') return proofFromNested(form);
  return form.startsWith('[') ? proofFromNested(parseJson(form)) : parseProof(form.replace(/[A-F]/g, lower));
}

/**
 * Reads World's nested form.
 *
 * @throws {UnumError} `proof_malformed`
 */
export function proofFromNested(nested: unknown): Proof {
  const [a, b, c] = list(nested, 3);
  const [b0, b1] = list(b, 2);
  const eight = [a, b0, b1, c].flatMap((pair) => list(pair, 2));
  return parseProof(`0x${eight.map(digitsOf).join('')}`);
}

/** Writes World's nested form. */
export function proofToNested(proof: Proof): NestedProof {
  const [a0, a1, b00, b01, b10, b11, c0, c1] = words(proof);
  return [
    [a0, a1],
    [
      [b00, b01],
      [b10, b11],
    ],
    [c0, c1],
  ];
}

type Eight = [string, string, string, string, string, string, string, string];

function words(proof: Proof): Eight {
  return Array.from({ length: 8 }, (_, i) => `0x${proof.slice(2 + 64 * i, 66 + 64 * i)}`) as Eight;
}

function list(value: unknown, length: number): unknown[] {
  if (!Array.isArray(value) || value.length !== length) throw malformed('not the nested form of a proof');
  return value;
}

function digitsOf(word: unknown): string {
  if (typeof word !== 'string' || !/^0x[0-9a-fA-F]{1,64}$/.test(word)) {
    throw malformed('a word of a proof is 0x and 1 to 64 hex digits');
  }
  return word.slice(2).toLowerCase().padStart(64, '0');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('not JSON');
  }
}

function lower(digit: string): string {
  return digit.toLowerCase();
}

function malformed(message: string): UnumError {
  return new UnumError('proof_malformed', message);
}
