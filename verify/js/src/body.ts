/** The body of `POST /v1/verify`: a proof, and what it is claimed to prove. */

import { UnumError } from './error.js';
import { parseFieldElement, type Nullifier, type Root, type SignalHash } from './field.js';
import { externalNullifier } from './hash.js';
import { parseProof, type Proof } from './proof.js';
import type { Statement } from './statement.js';

/** A proof, and what it is claimed to prove. */
export interface ProofBody {
  /** The app. */
  readonly app_id: string;
  /** What the human does in it; empty if the app has one action only. */
  readonly action: string;
  /** Hash of what the human says (`hashSignal`). */
  readonly signal_hash: SignalHash;
  /** Root of the set that the human is in. */
  readonly root: Root;
  /** The human, for this action only. */
  readonly nullifier: Nullifier;
  readonly proof: Proof;
}

const KEYS = ['app_id', 'action', 'signal_hash', 'root', 'nullifier', 'proof'];

/**
 * Reads a body, as JSON or as its text. Only `action` may be missing; unknown keys are refused. Says nothing yet about
 * whether the proof holds.
 *
 * @throws {UnumError} `body_invalid`, with the reason in its message and as its cause
 */
export function parseBody(json: unknown): ProofBody {
  try {
    const body = typeof json === 'string' ? (JSON.parse(json) as unknown) : json;
    if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new TypeError('not a JSON object');
    const unknown = Object.keys(body).find((key) => !KEYS.includes(key));
    if (unknown !== undefined) throw new TypeError(`unknown key ${JSON.stringify(unknown)}`);
    // Own keys only: what a prototype says was not sent.
    const get = (key: string): unknown =>
      Object.hasOwn(body, key) ? (body as Record<string, unknown>)[key] : undefined;
    return {
      app_id: text(get('app_id')),
      action: Object.hasOwn(body, 'action') ? text(get('action')) : '',
      signal_hash: parseFieldElement(get('signal_hash')),
      root: parseFieldElement(get('root')),
      nullifier: parseFieldElement(get('nullifier')),
      proof: parseProof(get('proof')),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : '';
    throw new UnumError('body_invalid', `not the body of a verification: ${reason}`, { cause: error });
  }
}

/** What the body claims to prove. */
export function statementOf(body: ProofBody): Statement {
  return {
    root: body.root,
    nullifier: body.nullifier,
    signalHash: body.signal_hash,
    externalNullifier: externalNullifier(body.app_id, body.action),
  };
}

function text(value: unknown): string {
  if (typeof value !== 'string' || !value.isWellFormed()) throw new TypeError('app_id and action are text');
  return value;
}
