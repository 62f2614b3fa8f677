/** What page and wallet say to each other over a bridge, in the words of IDKit 3. */

import type { ProofBody } from '../body.js';
import { UnumError } from '../error.js';
import { normalizeWorld, parseFieldElement, type SignalHash } from '../field.js';
import { normalizeWorldProof, type Proof } from '../proof.js';
import type { Nullifier, Root } from '../field.js';

/** What a page asks for. */
export interface WalletQuestion {
  readonly app_id: string;
  readonly action: string;
  /** What the action is, in words that the wallet shows. They come from the page: nobody has checked them. */
  readonly action_description?: string;
  readonly signal_hash: SignalHash;
}

/** Why a wallet gave no proof. The names are IDKit's (`types/bridge.ts`). */
export type WalletErrorCode =
  | 'verification_rejected'
  | 'max_verifications_reached'
  | 'credential_unavailable'
  | 'malformed_request'
  | 'invalid_network'
  | 'inclusion_proof_failed'
  | 'inclusion_proof_pending'
  | 'unexpected_response'
  | 'generic_error';

const WALLET_ERRORS: readonly string[] = [
  'verification_rejected',
  'max_verifications_reached',
  'credential_unavailable',
  'malformed_request',
  'invalid_network',
  'inclusion_proof_failed',
  'inclusion_proof_pending',
  'unexpected_response',
  'generic_error',
] satisfies WalletErrorCode[];

/** What a wallet proves. */
export interface WalletAnswer {
  readonly root: Root;
  readonly nullifier: Nullifier;
  readonly proof: Proof;
}

/**
 * The question as it lies on the bridge. `credential_types` and `verification_level` are there because wallets of World
 * ask for them; people are in our set by their irises, which is what World calls `orb`.
 */
export function writeQuestion(question: WalletQuestion): object {
  const { signal_hash: signal, ...rest } = question;
  return { ...rest, signal, credential_types: ['orb'], verification_level: 'orb' };
}

/**
 * Reads a question. Other keys are left alone: IDKit's versions differ in them.
 *
 * @throws {UnumError} `payload_invalid`
 */
export function readQuestion(json: unknown): WalletQuestion {
  const { app_id, action, action_description: words, signal } = record(json);
  const described = typeof words === 'string' ? { action_description: words } : {};
  if (typeof app_id !== 'string' || typeof action !== 'string') throw invalid('no app and action');
  return { app_id, action, ...described, signal_hash: checked(() => parseFieldElement(signal)) };
}

/** The answer as it lies on the bridge. */
export function writeAnswer({ root, nullifier, proof }: WalletAnswer): object {
  return { proof, merkle_root: root, nullifier_hash: nullifier, verification_level: 'orb' };
}

/**
 * Reads an answer: the body for the app's server, or the wallet's refusal.
 *
 * @throws {UnumError} `payload_invalid`
 */
export function readAnswer(
  json: unknown,
  { app_id, action, signal_hash }: WalletQuestion,
): ProofBody | WalletErrorCode {
  const { error_code, proof, merkle_root, nullifier_hash } = record(json);
  if (typeof error_code === 'string') {
    return WALLET_ERRORS.includes(error_code) ? (error_code as WalletErrorCode) : 'generic_error';
  }
  return checked(() => ({
    app_id,
    action,
    signal_hash,
    root: normalizeWorld(merkle_root),
    nullifier: normalizeWorld(nullifier_hash),
    proof: normalizeWorldProof(proof),
  }));
}

function record(json: unknown): Record<string, unknown> {
  if (typeof json !== 'object' || json === null) throw invalid('not an object');
  return json as Record<string, unknown>;
}

function checked<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new UnumError('payload_invalid', 'a value is not of its form', { cause: error });
  }
}

function invalid(message: string): UnumError {
  return new UnumError('payload_invalid', message);
}
