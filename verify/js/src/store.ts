/**
 * Where an app remembers which nullifiers were used.
 *
 * Losing this memory lets everyone act again; so it belongs into the app's database, beside what the humans did.
 */

import type { ExternalNullifier, Nullifier } from './field.js';

/**
 * Remembers nullifiers. Both values are canonical text, so that equal text is the same human doing the same thing.
 *
 * In SQL, {@link consume} is one statement, which no race can pass (here in Postgres; SQLite takes the same with `?`):
 *
 * ```sql
 * CREATE TABLE nullifiers (
 *     scope     TEXT NOT NULL,                       -- external nullifier: app and action, hashed
 *     nullifier TEXT NOT NULL,                       -- one human in this scope
 *     uses      INTEGER NOT NULL CHECK (uses > 0),
 *     PRIMARY KEY (scope, nullifier)
 * );
 *
 * INSERT INTO nullifiers AS n (scope, nullifier, uses) VALUES ($1, $2, 1)
 *     ON CONFLICT (scope, nullifier) DO UPDATE SET uses = n.uses + 1 WHERE n.uses < $3
 *     RETURNING uses;                                -- no row: used up
 * ```
 *
 * Never "select, then insert": two requests at once would both find nothing.
 */
export interface NullifierStore {
  /** How often it was used. A cheap look before the proof is checked; it decides nothing. */
  uses(scope: ExternalNullifier, nullifier: Nullifier): Promise<number>;

  /**
   * Uses it once more if it was used fewer than `maxUses` times, in one atomic step.
   *
   * @param maxUses at least 1
   * @returns how often it has been used now, this time included; undefined if it was used up
   */
  consume(scope: ExternalNullifier, nullifier: Nullifier, maxUses: number): Promise<number | undefined>;
}

/** Forgets everything when the process ends, and knows nothing of other processes: for tests and the smallest apps. */
export class MemoryNullifierStore implements NullifierStore {
  readonly #uses = new Map<string, number>();

  // `async` so that a caller meets the same turns of the event loop as with a database.
  async uses(scope: ExternalNullifier, nullifier: Nullifier): Promise<number> {
    return this.#uses.get(scope + nullifier) ?? 0;
  }

  async consume(scope: ExternalNullifier, nullifier: Nullifier, maxUses: number): Promise<number | undefined> {
    // No `await` between the look and the write: nothing else runs in between.
    const uses = (this.#uses.get(scope + nullifier) ?? 0) + 1;
    if (uses > maxUses) return undefined;
    this.#uses.set(scope + nullifier, uses);
    return uses;
  }
}
