/**
 * Verifying keys: reading them with every check, and telling them apart.
 *
 * A valid key of somebody else accepts somebody else's proofs. An app compares {@link VerifyingKey.id} with one that it
 * has from a trusted place, once, when it is set up.
 */

import { sha256 } from '@noble/hashes/sha2.js';

import { bytesToHex, concatBytes, hexToBytes } from './bytes.js';
import { UnumError } from './error.js';
import { G1_LENGTH, G2_LENGTH, g1FromBytes, g2FromBytes, wordsOfG1, wordsOfG2, type G1, type G2 } from './points.js';
import { PUBLIC_INPUTS } from './statement.js';
import { readG1, readG2, readObject, writeG1, writeG2, type SnarkjsG1, type SnarkjsG2 } from './snarkjs.js';

/** The points of a Groth16 key, in the names of Groth 2016, section 3.2. */
export interface KeyPoints {
  readonly alpha: G1;
  readonly beta: G2;
  readonly gamma: G2;
  readonly delta: G2;
  /** One that is always there, then one for each public input. */
  readonly inputs: readonly G1[];
}

/** `verification_key.json` of snarkjs, without `vk_alphabeta_12`, which follows from the rest and nobody reads. */
export interface SnarkjsKey {
  protocol: 'groth16';
  curve: 'bn128';
  nPublic: number;
  vk_alpha_1: SnarkjsG1;
  vk_beta_2: SnarkjsG2;
  vk_gamma_2: SnarkjsG2;
  vk_delta_2: SnarkjsG2;
  IC: SnarkjsG1[];
}

const KEYS = ['protocol', 'curve', 'nPublic', 'vk_alpha_1', 'vk_beta_2', 'vk_gamma_2', 'vk_delta_2', 'IC'];

/**
 * What stands before the points in a key's bytes: kind and version, then the SHA-256 of the circuit's description
 * (`circuits/circuit.json`, pinned in the crate `circuits`), so that a key of an older circuit has another id.
 */
const HEADER = concatBytes(
  new TextEncoder().encode('unum-vk\x01'),
  hexToBytes('08f3a31587318584009108df1f152ea2079e41ac5f8979cc7241be3ff7418da8'),
);
const LENGTH = HEADER.length + G1_LENGTH + 3 * G2_LENGTH + (1 + PUBLIC_INPUTS) * G1_LENGTH;

/** What checks proofs. Public. All of its points are valid. */
export class VerifyingKey {
  readonly points: KeyPoints;

  private constructor(points: KeyPoints) {
    this.points = points;
  }

  /**
   * Reads `verification_key.json`, as JSON or as its text. That it belongs to our circuit cannot be seen from it, only
   * that it has as many public inputs.
   *
   * @throws {UnumError} `key_malformed` or `point_invalid`
   */
  static fromSnarkjs(json: unknown): VerifyingKey {
    const file = readObject(json, KEYS, 'key_malformed', ['vk_alphabeta_12']);
    const inputs = file['IC'];
    // Exactly one for each input and one before: a shorter key would leave an input unread.
    if (file['nPublic'] !== PUBLIC_INPUTS || !Array.isArray(inputs) || inputs.length !== 1 + PUBLIC_INPUTS) {
      throw new UnumError('key_malformed', `not a key of ${PUBLIC_INPUTS} public inputs`);
    }
    return new VerifyingKey({
      alpha: present(readG1(file['vk_alpha_1'])),
      beta: present(readG2(file['vk_beta_2'])),
      gamma: present(readG2(file['vk_gamma_2'])),
      delta: present(readG2(file['vk_delta_2'])),
      inputs: inputs.map((point) => present(readG1(point))),
    });
  }

  /**
   * Reads the 808 bytes of the crate `circuits` (`verifying.key`).
   *
   * @throws {UnumError} `key_malformed` or `point_invalid`
   */
  static fromBytes(bytes: Uint8Array): VerifyingKey {
    const header = bytes.subarray(0, HEADER.length);
    if (bytes.length !== LENGTH || bytesToHex(header) !== bytesToHex(HEADER)) {
      throw new UnumError('key_malformed', 'these bytes are no verifying key of this circuit');
    }
    let at = HEADER.length;
    const take = (length: number) => bytes.subarray(at, (at += length));
    return new VerifyingKey({
      alpha: present(g1FromBytes(take(G1_LENGTH))),
      beta: present(g2FromBytes(take(G2_LENGTH))),
      gamma: present(g2FromBytes(take(G2_LENGTH))),
      delta: present(g2FromBytes(take(G2_LENGTH))),
      inputs: Array.from({ length: 1 + PUBLIC_INPUTS }, () => present(g1FromBytes(take(G1_LENGTH)))),
    });
  }

  /** Its one encoding: 808 bytes. */
  toBytes(): Uint8Array {
    const { alpha, beta, gamma, delta, inputs } = this.points;
    const words = [...wordsOfG1(alpha), ...[beta, gamma, delta].flatMap(wordsOfG2), ...inputs.flatMap(wordsOfG1)];
    return concatBytes(HEADER, ...words.map((word) => hexToBytes(word.toString(16).padStart(64, '0'))));
  }

  /** As `verification_key.json`. */
  toSnarkjs(): SnarkjsKey {
    const { alpha, beta, gamma, delta, inputs } = this.points;
    return {
      protocol: 'groth16',
      curve: 'bn128',
      nPublic: PUBLIC_INPUTS,
      vk_alpha_1: writeG1(alpha),
      vk_beta_2: writeG2(beta),
      vk_gamma_2: writeG2(gamma),
      vk_delta_2: writeG2(delta),
      IC: inputs.map(writeG1),
    };
  }

  /** SHA-256 of {@link VerifyingKey.toBytes}, in 64 lower-case hex digits: what tells keys apart. */
  get id(): string {
    return bytesToHex(sha256(this.toBytes()));
  }
}

function present<P>(point: P | undefined | 'malformed'): P {
  if (point === 'malformed') throw new UnumError('key_malformed', 'not a verification_key.json of snarkjs');
  if (point === undefined) throw new UnumError('point_invalid', 'a point of the key is not valid');
  return point;
}
