/**
 * A key whose secrets we know, and so proofs of any statement: what a dishonest ceremony could do, and what tests need
 * to have many humans without a prover. `C = (a·b − αβ − γ·Σ inputᵢ·kᵢ) / δ` (the simulator of Groth 2016, section 3.2).
 */

import { bn254 } from '@noble/curves/bn254.js';
import {
  externalNullifier,
  fieldElementOf,
  FIELD_ORDER,
  fromSnarkjs,
  hashSignal,
  hashToField,
  publicSignals,
  VerifyingKey,
  type Proof,
  type ProofBody,
  type Root,
  type Statement,
} from '@unum/verify';

const { Fr } = bn254.fields;
const [ALPHA, BETA, GAMMA, DELTA] = [3n, 5n, 7n, 11n];
/** The last is minus the first: the sum of inputs can be made zero. */
const INPUTS = [13n, 17n, 19n, 23n, FIELD_ORDER - 13n];

const g1 = (scalar: bigint) => {
  const { x, y } = bn254.G1.Point.BASE.multiply(Fr.create(scalar)).toAffine();
  return [String(x), String(y), '1'];
};
const g2 = (scalar: bigint) => {
  const { x, y } = bn254.G2.Point.BASE.multiply(Fr.create(scalar)).toAffine();
  return [
    [String(x.c0), String(x.c1)],
    [String(y.c0), String(y.c1)],
    ['1', '0'],
  ];
};

export const FORGED_KEY = VerifyingKey.fromSnarkjs({
  protocol: 'groth16',
  curve: 'bn128',
  nPublic: 4,
  vk_alpha_1: g1(ALPHA),
  vk_beta_2: g2(BETA),
  vk_gamma_2: g2(GAMMA),
  vk_delta_2: g2(DELTA),
  IC: INPUTS.map(g1),
});

/** A proof of any statement. */
export function forge(statement: Statement, a = 101n, b = 103n): Proof {
  const [constant = 0n, ...points] = INPUTS;
  const sum = publicSignals(statement).reduce((sum, input, i) => sum + BigInt(input) * (points[i] ?? 0n), constant);
  const c = Fr.div(Fr.create(a * b - ALPHA * BETA - GAMMA * sum), DELTA);
  return fromSnarkjs({ pi_a: g1(a), pi_b: g2(b), pi_c: g1(c), protocol: 'groth16', curve: 'bn128' });
}

export const APP = 'app_test';
export const ROOT: Root = fieldElementOf(42n);

/** What the wallet of somebody sends. */
export function bodyOf(
  somebody: string,
  action: string,
  signal: string,
  { app = APP, root = ROOT }: { app?: string; root?: Root } = {},
): ProofBody {
  const scope = externalNullifier(app, action);
  const signalHash = hashSignal(signal);
  const nullifier = hashToField<'nullifier'>(new TextEncoder().encode(`${somebody} ${scope}`));
  const proof = forge({ root, nullifier, signalHash, externalNullifier: scope });
  return { app_id: app, action, signal_hash: signalHash, root, nullifier, proof };
}
