/**
 * Checks proofs made with one key.
 *
 * Three Miller loops under one final exponentiation; `e(α, β)` and the lines of γ and δ are computed beforehand. Knows
 * nothing of roots, apps or earlier uses: that is for `Humans`.
 */

import { bn254 } from '@noble/curves/bn254.js';

import { UnumError } from './error.js';
import type { VerifyingKey } from './key.js';
import { pointsOf, type G1, type Points } from './points.js';
import { parseProof, type Proof } from './proof.js';
import { publicInputs, type Statement } from './statement.js';

const { Fp12 } = bn254.fields;
const linesOf = bn254.utils.calcPairingPrecomputes;

type Lines = ReturnType<typeof linesOf>;
type Term = [Lines, bigint, bigint];

/** Digits of 6 bits in the tables of the key's points: 40 ms once, then 0.8 ms instead of 7 ms for each proof (README, figures). */
const WINDOW = 6;

/** Checks proofs made with one key. Preparing it takes some 100 ms: keep it. */
export class Verifier {
  readonly key: VerifyingKey;
  /** `e(α, β)`. */
  readonly #alphaBeta: ReturnType<typeof bn254.pairing>;
  readonly #minusGamma: Lines;
  readonly #minusDelta: Lines;
  readonly #constant: G1;
  readonly #inputs: readonly G1[];

  constructor(key: VerifyingKey) {
    const { alpha, beta, gamma, delta, inputs } = key.points;
    const [constant, ...rest] = inputs;
    if (!constant) throw new UnumError('key_malformed', 'a key without points');
    this.key = key;
    this.#alphaBeta = bn254.pairing(alpha, beta);
    this.#minusGamma = linesOf(gamma.negate());
    this.#minusDelta = linesOf(delta.negate());
    this.#constant = constant;
    this.#inputs = rest.map((point) => point.precompute(WINDOW, false));
  }

  /**
   * Whether `proof` proves `statement`. False also for anything that is not canonical and for points that are not
   * valid: the reason is nobody's business.
   *
   * Many texts can prove one statement: never use a proof as an identity.
   */
  verify(statement: Statement, proof: Proof): boolean {
    const read = readable(statement, proof);
    return read !== undefined && this.#holds(read.inputs, read.points);
  }

  /** `e(A, B) = e(α, β) · e(Σ inputᵢ·pointᵢ, γ) · e(C, δ)` (Groth 2016, section 3.2). */
  #holds(inputs: readonly bigint[], { a, b, c }: Points): boolean {
    const terms = [term(a, linesOf(b)), term(this.#sum(inputs), this.#minusGamma), term(c, this.#minusDelta)];
    const product = Fp12.finalExponentiate(bn254.millerLoopBatch(terms.filter((t) => t !== undefined)));
    return Fp12.eql(product, this.#alphaBeta);
  }

  /** Variable time is fine: everything here is public. */
  #sum(inputs: readonly bigint[]): G1 {
    return this.#inputs.reduce((sum, point, i) => sum.add(point.multiplyUnsafe(inputs[i] ?? 0n)), this.#constant);
  }
}

/** What goes into the Miller loop for one pair; nothing for the identity, whose pairing is 1. */
function term(point: G1, lines: Lines): Term | undefined {
  if (point.is0()) return undefined;
  const { x, y } = point.toAffine();
  return [lines, x, y];
}

function readable(statement: Statement, proof: Proof): { inputs: bigint[]; points: Points } | undefined {
  try {
    const inputs = publicInputs(statement);
    const points = pointsOf(parseProof(proof));
    return points && { inputs, points };
  } catch (error) {
    if (error instanceof UnumError) return undefined;
    throw error;
  }
}
