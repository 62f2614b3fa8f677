/**
 * JSON of snarkjs: `proof.json`, `public.json` and the points of `verification_key.json`, for Groth16 over BN254 (its
 * `bn128`). What is written here, `snarkjs groth16 verify` reads.
 *
 * Numbers are decimal text; an element of the quadratic extension is `[c0, c1]`, the other way round than Ethereum's;
 * points are projective with a third coordinate, which must be 1.
 */

import { UnumError } from './error.js';
import { g1, g2, pointsOf, wordsOfG1, wordsOfG2, type Extension, type G1, type G2 } from './points.js';
import { parseProof, type Proof } from './proof.js';
import { publicInputs, statementOfInputs, type Statement } from './statement.js';

/** `[x, y, "1"]`. */
export type SnarkjsG1 = [string, string, string];
/** `[[x0, x1], [y0, y1], ["1", "0"]]`. */
export type SnarkjsG2 = [[string, string], [string, string], [string, string]];

/** `proof.json`. */
export interface SnarkjsProof {
  pi_a: SnarkjsG1;
  pi_b: SnarkjsG2;
  pi_c: SnarkjsG1;
  protocol: 'groth16';
  curve: 'bn128';
}

/**
 * `proof.json` of a proof.
 *
 * @throws {UnumError} `point_invalid`
 */
export function toSnarkjs(proof: Proof): SnarkjsProof {
  const points = pointsOf(proof);
  if (!points) throw notAPoint();
  return {
    pi_a: writeG1(points.a),
    pi_b: writeG2(points.b),
    pi_c: writeG1(points.c),
    protocol: 'groth16',
    curve: 'bn128',
  };
}

/**
 * Reads `proof.json`, as JSON or as its text.
 *
 * @throws {UnumError} `proof_malformed` or `point_invalid`
 */
export function fromSnarkjs(json: unknown): Proof {
  const file = readObject(json, ['pi_a', 'pi_b', 'pi_c', 'protocol', 'curve'], 'proof_malformed');
  const [a, b, c] = [readG1(file['pi_a']), readG2(file['pi_b']), readG1(file['pi_c'])];
  if (a === 'malformed' || b === 'malformed' || c === 'malformed') {
    throw new UnumError('proof_malformed', 'not a proof.json of snarkjs');
  }
  if (!a || !b || !c) throw notAPoint();
  const words = [...wordsOfG1(a), ...wordsOfG2(b), ...wordsOfG1(c)];
  return parseProof(`0x${words.map((word) => word.toString(16).padStart(64, '0')).join('')}`);
}

/** `public.json` of a statement: its public inputs in their order, in decimal. */
export function publicSignals(statement: Statement): string[] {
  return publicInputs(statement).map(String);
}

/**
 * Reads `public.json`, as JSON or as its text.
 *
 * @throws {UnumError} `field_malformed` or `field_not_reduced`
 */
export function fromPublicSignals(json: unknown): Statement {
  const signals = typeof json === 'string' ? parse(json) : json;
  const values = Array.isArray(signals) ? signals.map(decimal) : [undefined];
  if (values.includes(undefined)) {
    throw new UnumError('field_malformed', 'public inputs are a list of numbers in canonical decimal');
  }
  return statementOfInputs(values as bigint[]);
}

/** An object of exactly these keys, `protocol` and `curve` being those that we speak; `optional` ones may be missing. */
export function readObject(
  json: unknown,
  keys: readonly string[],
  code: 'proof_malformed' | 'key_malformed',
  optional: readonly string[] = [],
): Record<string, unknown> {
  const file = typeof json === 'string' ? parse(json) : json;
  const refuse = (message: string) => new UnumError(code, message);
  if (typeof file !== 'object' || file === null || Array.isArray(file)) throw refuse('not a JSON object');
  for (const key of keys) if (!Object.hasOwn(file, key)) throw refuse(`${key} is missing`);
  for (const key of Object.keys(file)) {
    if (!keys.includes(key) && !optional.includes(key)) throw refuse(`unknown key ${key}`);
  }
  const object = file as Record<string, unknown>;
  if (object['protocol'] !== 'groth16' || object['curve'] !== 'bn128') throw refuse('not Groth16 over bn128');
  return object;
}

/** A point of G1; undefined if the coordinates are those of no valid point. */
export function readG1(json: unknown): G1 | undefined | 'malformed' {
  if (!Array.isArray(json) || json.length !== 3 || json[2] !== '1') return 'malformed';
  const [x, y] = [decimal(json[0]), decimal(json[1])];
  return x === undefined || y === undefined ? 'malformed' : g1(x, y);
}

/** A point of G2; undefined if the coordinates are those of no valid point. */
export function readG2(json: unknown): G2 | undefined | 'malformed' {
  if (!Array.isArray(json) || json.length !== 3) return 'malformed';
  const [x, y, one] = [extension(json[0]), extension(json[1]), json[2] as unknown];
  const affine = Array.isArray(one) && one.length === 2 && one[0] === '1' && one[1] === '0';
  return !affine || !x || !y ? 'malformed' : g2(x, y);
}

/** A point as snarkjs writes it. */
export function writeG1(point: G1): SnarkjsG1 {
  const { x, y } = point.toAffine();
  return [String(x), String(y), '1'];
}

/** A point as snarkjs writes it. */
export function writeG2(point: G2): SnarkjsG2 {
  const { x, y } = point.toAffine();
  return [
    [String(x.c0), String(x.c1)],
    [String(y.c0), String(y.c1)],
    ['1', '0'],
  ];
}

function extension(json: unknown): Extension | undefined {
  if (!Array.isArray(json) || json.length !== 2) return undefined;
  const [c0, c1] = [decimal(json[0]), decimal(json[1])];
  return c0 === undefined || c1 === undefined ? undefined : [c0, c1];
}

/** No sign, no leading zero, and no more digits than the fields' orders have: 77. */
function decimal(text: unknown): bigint | undefined {
  return typeof text === 'string' && /^(?:0|[1-9][0-9]{0,76})$/.test(text) ? BigInt(text) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notAPoint(): UnumError {
  return new UnumError('point_invalid', 'a point is off its curve, outside its subgroup, or the identity');
}
