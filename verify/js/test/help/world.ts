/** World's own proof, key and statement, which nobody here has made. */

import {
  externalNullifier,
  normalizeWorld,
  parseProof,
  VerifyingKey,
  type ProofBody,
  type Statement,
} from '@unum/verify';

import { jsonOf } from './files.js';

const file = jsonOf('circuits/vectors/worldid3_proof_depth30.json');

/** The vector as it is in the file. */
export const WORLD: { proof: any; verifying_key: any } = file;

export const WORLD_KEY = VerifyingKey.fromSnarkjs(file.verifying_key);

export const WORLD_PROOF = parseProof(file.proof.packed_proof);

export const WORLD_STATEMENT: Statement = {
  root: normalizeWorld(file.proof.root),
  nullifier: normalizeWorld(file.proof.nullifierHash),
  signalHash: normalizeWorld(file.proof.signalHash),
  externalNullifier: externalNullifier(file.proof.app_id, file.proof.action),
};

export const WORLD_BODY: ProofBody = {
  app_id: file.proof.app_id,
  action: file.proof.action,
  signal_hash: WORLD_STATEMENT.signalHash,
  root: WORLD_STATEMENT.root,
  nullifier: WORLD_STATEMENT.nullifier,
  proof: WORLD_PROOF,
};

export const WORLD_SIGNAL: string = file.proof.signal_utf8;
