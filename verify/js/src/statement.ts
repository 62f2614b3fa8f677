/**
 * What a proof says: "I know a secret whose commitment is a leaf under `root`, `nullifier` is right for
 * `externalNullifier`, and I bind `signalHash`."
 */

import { UnumError } from './error.js';
import {
  fieldElementOf,
  parseFieldElement,
  type ExternalNullifier,
  type Nullifier,
  type Root,
  type SignalHash,
} from './field.js';

/** The public inputs, by name. */
export interface Statement {
  readonly root: Root;
  readonly nullifier: Nullifier;
  readonly signalHash: SignalHash;
  readonly externalNullifier: ExternalNullifier;
}

/** The public inputs in their order, World ID's. The only place that knows it. */
const ORDER = ['root', 'nullifier', 'signalHash', 'externalNullifier'] as const satisfies (keyof Statement)[];

/** How many public inputs there are. */
export const PUBLIC_INPUTS = ORDER.length;

/**
 * The public inputs in their order. Text that is not canonical is refused here again: plain JavaScript can put any text
 * into a {@link Statement}.
 *
 * @throws {UnumError} `field_malformed` or `field_not_reduced`
 */
export function publicInputs(statement: Statement): bigint[] {
  return ORDER.map((name) => BigInt(parseFieldElement(statement[name])));
}

/**
 * The statement with these public inputs.
 *
 * @param values four, in their order
 * @throws {UnumError} `field_malformed` if there are more or fewer, or `field_not_reduced`
 */
export function statementOfInputs(values: readonly bigint[]): Statement {
  if (values.length !== PUBLIC_INPUTS) throw new UnumError('field_malformed', `not ${PUBLIC_INPUTS} public inputs`);
  const named = values.map((value, i) => [ORDER[i], fieldElementOf(value)]);
  return Object.fromEntries(named) as Statement;
}
