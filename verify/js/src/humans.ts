/**
 * Whether a request comes from a human who has not done this too often: the whole check, in the order of its cost.
 *
 * Decode, signal, root, one look at the nullifier, some 15 ms of pairings, then the write that alone decides who was
 * first. Does no I/O of its own: roots and nullifiers are behind interfaces, the time is an argument of the constructor.
 */

import { parseBody, statementOf, type ProofBody } from './body.js';
import { UnumError } from './error.js';
import type { ExternalNullifier, Nullifier } from './field.js';
import { hashSignal } from './hash.js';
import type { VerifyingKey } from './key.js';
import type { RootSource } from './roots.js';
import type { NullifierStore } from './store.js';
import { Verifier } from './verifier.js';

/** What an app knows about the request that it is about to answer, from anywhere but the proof. */
export interface Expected {
  /** What the human does: a nullifier is counted for each action apart. */
  readonly action: string;
  /**
   * What the human says: the vote, the text of the post, the address that is paid. The proof must bind exactly this, or
   * whoever carries it could put it under something else.
   */
  readonly signal: string | Uint8Array;
  /** How often one human may do this. Default: once. */
  readonly maxUses?: number;
}

/** Why a request was refused. */
export type RefusalCode =
  /** Not canonical, unknown keys, or made for another app or action. The client is wrong; asking again cannot help. */
  | 'body_invalid'
  /** The proof was made for something else than what the request says. */
  | 'signal_mismatch'
  /** Never a root of this set. */
  | 'root_unknown'
  /** Replaced too long ago. Fetch a new path and prove again. */
  | 'root_expired'
  /** The proof does not hold. Why is nobody's business. */
  | 'proof_invalid'
  /** This human has done this as often as anyone may. */
  | 'nullifier_used';

/** The answer no. */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
}

/** One human, who has now done this `uses` times. */
export interface Admitted {
  readonly ok: true;
  readonly nullifier: Nullifier;
  readonly uses: number;
}

/** A proof that holds, and which nobody has been told of yet. */
export interface Examined {
  readonly ok: true;
  readonly scope: ExternalNullifier;
  readonly nullifier: Nullifier;
}

/** The answer of {@link Humans.check}. */
export type Check = Admitted | Refusal;

/** What an app needs to tell humans apart. */
export interface HumansOptions {
  readonly appId: string;
  /** The keys that the app trusts; a proof may be made with any of them. */
  readonly keys: readonly VerifyingKey[];
  readonly roots: RootSource;
  readonly store: NullifierStore;
  /** Seconds since 1970. Default: this machine's clock. */
  readonly clock?: () => number;
}

/** Answers whether requests come from humans, for one app. Keep it: preparing a key takes some 100 ms. */
export class Humans {
  readonly #appId: string;
  readonly #verifiers: readonly Verifier[];
  readonly #roots: RootSource;
  readonly #store: NullifierStore;
  readonly #clock: () => number;

  constructor({ appId, keys, roots, store, clock = () => Math.floor(Date.now() / 1000) }: HumansOptions) {
    this.#appId = appId;
    this.#verifiers = keys.map((key) => new Verifier(key));
    this.#roots = roots;
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Checks a body and uses its nullifier. After `ok` the use is spent, whatever becomes of the request: an app that must
   * not lose it calls {@link examine} and consumes the nullifier in the transaction that does the rest.
   *
   * @param body JSON, or its text
   * @throws {UnumError} `unavailable` if the roots cannot be had, `text_malformed` if the app's own signal has no UTF-8;
   *   and whatever the store throws
   */
  async check(body: unknown, expected: Expected): Promise<Check> {
    const examined = await this.examine(body, expected);
    if (!examined.ok) return examined;
    const { scope, nullifier } = examined;
    const uses = await this.#store.consume(scope, nullifier, limit(expected));
    return uses === undefined ? refuse('nullifier_used') : { ok: true, nullifier, uses };
  }

  /**
   * All of {@link check} but the write. Decides nothing about who was first.
   *
   * @throws as {@link check}
   */
  async examine(body: unknown, expected: Expected): Promise<Examined | Refusal> {
    const maxUses = limit(expected);
    const signalHash = hashSignal(expected.signal);
    const read = this.#read(body, expected.action);
    if (!read) return refuse('body_invalid');
    if (read.signal_hash !== signalHash) return refuse('signal_mismatch');

    const statement = statementOf(read);
    const { root, nullifier, externalNullifier: scope } = statement;
    const status = await this.#roots.status(root, this.#clock());
    if (status !== 'counts') return refuse(status === 'expired' ? 'root_expired' : 'root_unknown');
    if ((await this.#store.uses(scope, nullifier)) >= maxUses) return refuse('nullifier_used');

    const holds = this.#verifiers.some((verifier) => verifier.verify(statement, read.proof));
    return holds ? { ok: true, scope, nullifier } : refuse('proof_invalid');
  }

  #read(json: unknown, action: string): ProofBody | undefined {
    try {
      const body = parseBody(json);
      return body.app_id === this.#appId && body.action === action ? body : undefined;
    } catch (error) {
      if (error instanceof UnumError) return undefined;
      throw error;
    }
  }
}

function limit({ maxUses = 1 }: Expected): number {
  if (!Number.isSafeInteger(maxUses) || maxUses < 1) throw new RangeError('maxUses is a whole number of 1 or more');
  return maxUses;
}

function refuse(code: RefusalCode): Refusal {
  return { ok: false, code };
}
