/** One proof under one key: World's own holds, and nothing near it does. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FIELD_ORDER, fieldElementOf, parseProof, Verifier, type Proof, type Statement } from '@unum/verify';

import { jsonOf } from './help/files.js';
import { forge, FORGED_KEY } from './help/forge.js';
import { WORLD_KEY, WORLD_PROOF, WORLD_STATEMENT } from './help/world.js';

const verifier = new Verifier(WORLD_KEY);
const NAMES = ['root', 'nullifier', 'signalHash', 'externalNullifier'] as const;

test("World's own proof holds", () => {
  assert.equal(verifier.verify(WORLD_STATEMENT, WORLD_PROOF), true);
});

test('no public input can be changed', () => {
  for (const name of NAMES) {
    const change = (value: unknown) => ({ ...WORLD_STATEMENT, [name]: value }) as Statement;
    const value = BigInt(WORLD_STATEMENT[name]);
    assert.equal(verifier.verify(change(fieldElementOf(value + 1n)), WORLD_PROOF), false, `${name} + 1`);
    assert.equal(verifier.verify(change(fieldElementOf(0n)), WORLD_PROOF), false, `${name} = 0`);
    const again = `0x${(value + FIELD_ORDER).toString(16).padStart(64, '0')}`;
    for (const other of [again, WORLD_STATEMENT[name].toUpperCase(), `0x${value.toString(16)} `, undefined, 5]) {
      assert.equal(verifier.verify(change(other), WORLD_PROOF), false, `${name} = ${other}`);
    }
  }
});

test('the inputs have an order', () => {
  const { root, nullifier, ...rest } = WORLD_STATEMENT;
  const exchanged = { ...rest, root: nullifier, nullifier: root } as unknown as Statement;
  assert.equal(verifier.verify(exchanged, WORLD_PROOF), false);
});

test('no byte of a proof can be changed', () => {
  for (let at = 0; at < 256; at++) {
    const digits = WORLD_PROOF.slice(2 + 2 * at, 4 + 2 * at);
    const other = (parseInt(digits, 16) ^ (1 << (at % 8))).toString(16).padStart(2, '0');
    const flipped = WORLD_PROOF.slice(0, 2 + 2 * at) + other + WORLD_PROOF.slice(4 + 2 * at);
    assert.equal(verifier.verify(WORLD_STATEMENT, parseProof(flipped)), false, `byte ${at}`);
  }
});

test('every shared vector', () => {
  const { body, cases } = jsonOf('verify/vectors/bodies.json');
  const proofs = cases.filter((c: any) => Object.keys(c.change).join() === 'proof' && c.code !== 'body_invalid');
  assert.ok(proofs.length >= 25, 'an empty file must not pass');
  for (const { name, change, code } of proofs) {
    const proof = parseProof(change.proof ?? body.proof);
    assert.equal(verifier.verify(WORLD_STATEMENT, proof), code === null, name);
  }
});

test('what is no proof is refused, not thrown', () => {
  for (const proof of ['', '0x', WORLD_PROOF.toUpperCase(), null, {}]) {
    assert.equal(verifier.verify(WORLD_STATEMENT, proof as Proof), false);
  }
});

test("another key's proofs do not hold", () => {
  assert.equal(new Verifier(FORGED_KEY).verify(WORLD_STATEMENT, WORLD_PROOF), false);
  assert.equal(verifier.verify(WORLD_STATEMENT, forge(WORLD_STATEMENT)), false);
});

test('inputs at the edges of the field', () => {
  const forged = new Verifier(FORGED_KEY);
  const values = [0n, 1n, FIELD_ORDER - 1n];
  for (const [i, root] of values.entries()) {
    const of = (j: number) => fieldElementOf<any>(values[(i + j) % 3] ?? 0n);
    const statement = {
      root: fieldElementOf<any>(root),
      nullifier: of(1),
      signalHash: of(2),
      externalNullifier: of(0),
    };
    assert.equal(forged.verify(statement, forge(statement)), true, `${root}`);
  }
});

test('a sum of inputs that is the identity', () => {
  const [zero, one] = [fieldElementOf<any>(0n), fieldElementOf<any>(1n)];
  const statement = { root: zero, nullifier: zero, signalHash: zero, externalNullifier: one }; // 13 + (r - 13)
  assert.equal(new Verifier(FORGED_KEY).verify(statement, forge(statement)), true);
});
