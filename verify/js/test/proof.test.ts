/** Forms of proofs and keys: World's, snarkjs's, and the bytes of the crate `circuits`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  fromPublicSignals,
  fromSnarkjs,
  normalizeWorldProof,
  parseProof,
  proofFromNested,
  proofToNested,
  publicSignals,
  toSnarkjs,
  VerifyingKey,
} from '@unum/verify';

import { refuses } from './help/assert.js';
import { bytesOf, jsonOf } from './help/files.js';
import { WORLD, WORLD_KEY, WORLD_PROOF, WORLD_STATEMENT } from './help/world.js';

test("World's forms are one proof", () => {
  assert.equal(proofFromNested(WORLD.proof.proof), WORLD_PROOF);
  assert.equal(normalizeWorldProof(JSON.stringify(WORLD.proof.proof)), WORLD_PROOF);
  assert.equal(normalizeWorldProof(`0x${WORLD_PROOF.slice(2).toUpperCase()}`), WORLD_PROOF);
  assert.equal(proofFromNested(proofToNested(WORLD_PROOF)), WORLD_PROOF);
});

test('what is no proof', () => {
  const upper = `0x${WORLD_PROOF.slice(2).toUpperCase()}`;
  for (const text of ['', '0x', WORLD_PROOF.slice(2), WORLD_PROOF.slice(0, -2), `${WORLD_PROOF}00`, upper, null, 5]) {
    refuses('proof_malformed', () => parseProof(text));
  }
  const [a, b, c] = WORLD.proof.proof;
  const long = `0x${'0'.repeat(65)}`;
  for (const nested of [
    null,
    [],
    [a, b],
    [a, b, c, c],
    [a, [b[0]], c],
    [[a[0]], b, c],
    [[a[0], 5], b, c],
    [[a[0], long], b, c],
  ]) {
    refuses('proof_malformed', () => proofFromNested(nested), JSON.stringify(nested));
  }
  refuses('proof_malformed', () => normalizeWorldProof('[not JSON'));
});

test('proof.json and public.json of snarkjs', () => {
  const file = toSnarkjs(WORLD_PROOF);
  assert.equal(fromSnarkjs(file), WORLD_PROOF);
  assert.equal(fromSnarkjs(JSON.stringify(file)), WORLD_PROOF);
  assert.deepEqual(fromPublicSignals(publicSignals(WORLD_STATEMENT)), WORLD_STATEMENT);
  assert.equal(publicSignals(WORLD_STATEMENT)[0], BigInt(WORLD.proof.root).toString());
});

test('points that are none are refused as points', () => {
  // That the proof would not hold either is no reason: the decoder has to see it.
  const { cases } = jsonOf('verify/vectors/bodies.json');
  const kinds = { infinity: 0, 'the curve': 0, 'the subgroup': 0, 'written again': 0, swapped: 0 };
  for (const { name, change } of cases) {
    const kind = Object.keys(kinds).find((kind) => name.includes(kind)) as keyof typeof kinds | undefined;
    if (!kind) continue;
    kinds[kind]++;
    refuses('point_invalid', () => toSnarkjs(parseProof(change.proof)), name);
  }
  assert.deepEqual(kinds, { infinity: 4, 'the curve': 8, 'the subgroup': 2, 'written again': 8, swapped: 1 });
});

test('refusals of snarkjs files', () => {
  const file = toSnarkjs(WORLD_PROOF);
  const [x, y] = file.pi_a;
  const changes: [object, 'proof_malformed' | 'point_invalid'][] = [
    [{ pi_a: [x, y, '2'] }, 'proof_malformed'],
    [{ pi_a: [`0${x}`, y, '1'] }, 'proof_malformed'],
    [{ pi_a: [`+${x}`, y, '1'] }, 'proof_malformed'],
    [{ pi_a: [Number(x), y, '1'] }, 'proof_malformed'],
    [{ pi_a: [x, y] }, 'proof_malformed'],
    [{ pi_a: ['1', '1', '1'] }, 'point_invalid'],
    [{ pi_a: ['0', '0', '1'] }, 'point_invalid'],
    [{ pi_b: [[...file.pi_b[0]].reverse(), [...file.pi_b[1]].reverse(), ['1', '0']] }, 'point_invalid'],
    [{ pi_b: [file.pi_b[0], file.pi_b[1], ['0', '0']] }, 'proof_malformed'],
    [{ protocol: 'plonk' }, 'proof_malformed'],
    [{ curve: 'bls12381' }, 'proof_malformed'],
    [{ more: 1 }, 'proof_malformed'],
  ];
  for (const [change, code] of changes)
    refuses(code, () => fromSnarkjs({ ...file, ...change }), JSON.stringify(change));
  for (const json of ['', '[]', 'null', [], null, 5]) refuses('proof_malformed', () => fromSnarkjs(json));
  for (const signals of [
    [],
    ['1', '2', '3'],
    ['1', '2', '3', '4', '5'],
    ['1', '2', '3', '04'],
    [1, 2, 3, 4],
    'x',
    null,
  ]) {
    refuses('field_malformed', () => fromPublicSignals(signals), JSON.stringify(signals));
  }
  const order = '21888242871839275222246405745257275088548364400416034343698204186575808495617';
  refuses('field_not_reduced', () => fromPublicSignals(['1', '2', '3', order]));
});

test('a key is told by its bytes', () => {
  const { verifying_key: id } = jsonOf('circuits/keys/development/keys.json');
  const bytes = bytesOf('circuits/keys/development/verifying.key');
  const key = VerifyingKey.fromBytes(bytes);
  assert.equal(key.id, id);
  assert.deepEqual(key.toBytes(), new Uint8Array(bytes));
  assert.equal(VerifyingKey.fromSnarkjs(key.toSnarkjs()).id, id);
  assert.equal(VerifyingKey.fromSnarkjs(JSON.stringify(key.toSnarkjs())).id, id);
  assert.notEqual(WORLD_KEY.id, id);
});

test('refusals of keys', () => {
  const file = WORLD.verifying_key;
  const [one, ...points] = file.IC;
  const changes: [object, 'key_malformed' | 'point_invalid'][] = [
    [{ nPublic: 3 }, 'key_malformed'],
    [{ nPublic: '4' }, 'key_malformed'],
    [{ IC: points }, 'key_malformed'],
    [{ IC: [one, ...points, one] }, 'key_malformed'],
    [{ IC: [['0', '1', '0'], ...points] }, 'key_malformed'],
    [{ IC: [['1', '1', '1'], ...points] }, 'point_invalid'],
    [{ IC: [['0', '0', '1'], ...points] }, 'point_invalid'],
    [{ vk_alpha_1: 5 }, 'key_malformed'],
    [
      {
        vk_gamma_2: [
          ['1', '2'],
          ['3', '4'],
          ['1', '0'],
        ],
      },
      'point_invalid',
    ],
    [{ more: 1 }, 'key_malformed'],
  ];
  for (const [change, code] of changes) {
    refuses(code, () => VerifyingKey.fromSnarkjs({ ...file, ...change }), JSON.stringify(change));
  }
  assert.equal(VerifyingKey.fromSnarkjs({ ...file, vk_alphabeta_12: [] }).id, WORLD_KEY.id);

  const bytes = WORLD_KEY.toBytes();
  refuses('key_malformed', () => VerifyingKey.fromBytes(bytes.subarray(1)));
  refuses('key_malformed', () => VerifyingKey.fromBytes(bytes.with(7, 2)));
  refuses('key_malformed', () => VerifyingKey.fromBytes(bytes.with(8, 0)), 'of another circuit');
  refuses('point_invalid', () => VerifyingKey.fromBytes(bytes.with(807, (bytes[807] ?? 0) ^ 1)));
});
