/**
 * Checks that a user is one human who has not done this before: no I/O, in Node and in browsers.
 *
 * From small to whole: field elements and hashes, proofs and keys, {@link Verifier} for one proof, {@link Humans} for
 * one request. What talks to servers is in `@unum/verify/server` and `@unum/verify/bridge`.
 */

export { parseBody, statementOf, type ProofBody } from './body.js';
export { UnumError, type ErrorCode } from './error.js';
export {
  FIELD_ORDER,
  fieldBytes,
  fieldElementOf,
  isFieldElement,
  normalizeWorld,
  parseFieldElement,
  type ExternalNullifier,
  type FieldElement,
  type Nullifier,
  type Root,
  type SignalHash,
} from './field.js';
export { externalNullifier, hashSignal, hashToField } from './hash.js';
export {
  Humans,
  type Admitted,
  type Check,
  type Examined,
  type Expected,
  type HumansOptions,
  type Refusal,
  type RefusalCode,
} from './humans.js';
export { VerifyingKey, type SnarkjsKey } from './key.js';
export {
  normalizeWorldProof,
  parseProof,
  proofFromNested,
  proofToNested,
  type NestedProof,
  type Proof,
} from './proof.js';
export { Roots, type PublishedRoot, type RootSource, type RootStatus } from './roots.js';
export { fromPublicSignals, fromSnarkjs, publicSignals, toSnarkjs, type SnarkjsProof } from './snarkjs.js';
export type { Statement } from './statement.js';
export { MemoryNullifierStore, type NullifierStore } from './store.js';
export { Verifier } from './verifier.js';
