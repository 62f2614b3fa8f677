/**
 * Writes `verify/vectors/*.json`: refusals that every implementation shares. Run `npm run vectors` after a change, and
 * read what has changed: a vector that moves is a decision that moves.
 */

import { writeFileSync } from 'node:fs';

import { bn254 } from '@noble/curves/bn254.js';
import { FIELD_ORDER } from '@unum/verify';

import { fileUrl } from './help/files.js';
import { WORLD_BODY, WORLD_SIGNAL } from './help/world.js';

const { Fp, Fp2 } = bn254.fields;
const hex = (value: bigint) => `0x${value.toString(16).padStart(64, '0')}`;
const ORDER = hex(FIELD_ORDER);
const FIVE = hex(5n);

const fields = {
  about: 'Text of field elements. code null: canonical. Otherwise the error of the one decoder.',
  cases: [
    { name: 'zero', input: hex(0n), code: null },
    { name: 'five', input: FIVE, code: null },
    { name: 'r - 1', input: hex(FIELD_ORDER - 1n), code: null },
    { name: 'r', input: ORDER, code: 'field_not_reduced' },
    { name: 'r + 1', input: hex(FIELD_ORDER + 1n), code: 'field_not_reduced' },
    { name: '5 + r', input: hex(FIELD_ORDER + 5n), code: 'field_not_reduced' },
    { name: 'all ones', input: `0x${'f'.repeat(64)}`, code: 'field_not_reduced' },
    { name: 'upper case digit', input: `0x${'0'.repeat(63)}A`, code: 'field_malformed' },
    { name: 'upper case prefix', input: FIVE.replace('0x', '0X'), code: 'field_malformed' },
    { name: 'no prefix', input: FIVE.slice(2), code: 'field_malformed' },
    { name: 'short', input: '0x5', code: 'field_malformed' },
    { name: 'one digit short', input: FIVE.replace('0x0', '0x'), code: 'field_malformed' },
    { name: 'one digit long', input: FIVE.replace('0x', '0x0'), code: 'field_malformed' },
    { name: 'sign', input: FIVE.replace('0x0', '0x+'), code: 'field_malformed' },
    { name: 'space before', input: ` ${FIVE}`, code: 'field_malformed' },
    { name: 'newline after', input: `${FIVE}\n`, code: 'field_malformed' },
    { name: 'space for a digit', input: FIVE.replace('0x0', '0x '), code: 'field_malformed' },
    { name: 'underscore', input: FIVE.replace('0x0', '0x_'), code: 'field_malformed' },
    { name: 'fullwidth digit', input: FIVE.replace('0x0', '0x\uff10'), code: 'field_malformed' },
    { name: 'decimal', input: '5', code: 'field_malformed' },
    { name: 'empty', input: '', code: 'field_malformed' },
    { name: 'a number', input: 5, code: 'field_malformed' },
    { name: 'null', input: null, code: 'field_malformed' },
    { name: 'a list', input: [FIVE], code: 'field_malformed' },
  ],
  world_about:
    "Text that World's tools write: leading zeros may be missing, upper case may be there. expected: canonical.",
  world_cases: [
    { name: 'canonical', input: FIVE, expected: FIVE },
    { name: 'short', input: '0x5', expected: FIVE },
    { name: 'upper case', input: '0xABC', expected: hex(0xabcn) },
    { name: 'r', input: ORDER, code: 'field_not_reduced' },
    { name: '65 digits', input: FIVE.replace('0x', '0x0'), code: 'field_malformed' },
    { name: 'no digit', input: '0x', code: 'field_malformed' },
    { name: 'no prefix', input: '5', code: 'field_malformed' },
    { name: 'upper case prefix', input: '0X5', code: 'field_malformed' },
    { name: 'sign', input: '0x-5', code: 'field_malformed' },
    { name: 'a number', input: 5, code: 'field_malformed' },
  ],
};

type Words = bigint[];

const words: Words = Array.from({ length: 8 }, (_, i) =>
  BigInt(`0x${WORLD_BODY.proof.slice(2 + 64 * i, 66 + 64 * i)}`),
);
const NAMES = ['A.x', 'A.y', 'B.x1', 'B.x0', 'B.y1', 'B.y0', 'C.x', 'C.y'];
const pack = (list: Words) => `0x${list.map((word) => word.toString(16).padStart(64, '0')).join('')}`;
const at = (index: number, change: (word: bigint) => bigint) =>
  words.map((word, i) => (i === index ? change(word) : word));
const negate = (y: bigint) => Fp.neg(y);
const scaled = (point: [bigint, bigint], scalar: bigint) => {
  const { x, y } = bn254.G1.Point.fromAffine({ x: point[0], y: point[1] }).multiply(scalar).toAffine();
  return [x, y];
};
const [ax, ay, bx1, bx0, by1, by0, cx, cy] = words as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];

type G2 = InstanceType<typeof bn254.G2.Point>;

const wordsOf = (point: G2): Words => {
  const { x, y } = point.toAffine();
  return [x.c1, x.c0, y.c1, y.c0];
};

/** On the twist, whose cofactor is large: nearly every point lies outside the subgroup. */
function outside(): G2 {
  const b = bn254.G2.Point.CURVE().b;
  for (let i = 1n; ; i++) {
    const x = Fp2.fromBigTuple([i, 0n]);
    try {
      const y = Fp2.sqrt(Fp2.add(Fp2.mul(Fp2.sqr(x), x), b));
      const point = bn254.G2.Point.fromAffine({ x, y });
      if (!point.isTorsionFree()) return point;
    } catch {
      continue; // no point has this x
    }
  }
}

/** `B` plus a point whose order is prime to `r`: what a verifier without a subgroup check is most likely to let pass. */
function withCofactor(): Words {
  const point = outside();
  const times_r = point.multiplyUnsafe(FIELD_ORDER - 1n).add(point);
  const b = bn254.G2.Point.fromAffine({ x: { c0: bx0, c1: bx1 }, y: { c0: by0, c1: by1 } });
  return wordsOf(b.add(times_r));
}

const proof = (name: string, list: Words, code: string | null = 'proof_invalid') => ({
  name,
  change: { proof: pack(list) },
  code,
});
const changed = (name: string, change: object, code: string) => ({ name, change, code });
const plusOrder = (text: string) => hex(BigInt(text) + FIELD_ORDER);
const plusOne = (text: string) => hex(BigInt(text) + 1n);

const bodies = {
  about:
    'Bodies of POST /v1/verify. Each case is `body` with `change` laid over it (null takes a key away), under the verifying key of circuits/vectors/worldid3_proof_depth30.json; its root is known and current. code null: a human. The signal is what the app expects.',
  signal: WORLD_SIGNAL,
  body: WORLD_BODY,
  cases: [
    changed('as it is', {}, null as unknown as string),
    proof('A and B negated, which proves the same', [ax, negate(ay), bx1, bx0, negate(by1), negate(by0), cx, cy], null),
    proof('A doubled and B halved, which proves the same', [...scaled([ax, ay], 2n), ...halved(), cx, cy], null),
    ...(['root', 'nullifier'] as const).map((key) =>
      changed(`${key} + 1`, { [key]: plusOne(WORLD_BODY[key]) }, key === 'root' ? 'root_unknown' : 'proof_invalid'),
    ),
    changed('signal_hash + 1', { signal_hash: plusOne(WORLD_BODY.signal_hash) }, 'signal_mismatch'),
    changed('another action', { action: 'another' }, 'body_invalid'),
    changed('another app', { app_id: 'app_other' }, 'body_invalid'),
    ...(['root', 'nullifier', 'signal_hash'] as const).flatMap((key) => [
      changed(`${key} + r`, { [key]: plusOrder(WORLD_BODY[key]) }, 'body_invalid'),
      changed(`${key} in upper case`, { [key]: `0x${WORLD_BODY[key].slice(2).toUpperCase()}` }, 'body_invalid'),
      changed(`${key} without prefix`, { [key]: WORLD_BODY[key].slice(2) }, 'body_invalid'),
      changed(`${key} a number`, { [key]: 5 }, 'body_invalid'),
      changed(`${key} missing`, { [key]: null }, 'body_invalid'),
    ]),
    changed('nullifier without its leading zero', { nullifier: hex(5n).replace('0x0', '0x') }, 'body_invalid'),
    changed('unknown key', { nullifier_hash: WORLD_BODY.nullifier }, 'body_invalid'),
    changed('app_id missing', { app_id: null }, 'body_invalid'),
    changed('app_id a number', { app_id: 1 }, 'body_invalid'),
    changed('proof missing', { proof: null }, 'body_invalid'),
    changed('proof in upper case', { proof: `0x${WORLD_BODY.proof.slice(2).toUpperCase()}` }, 'body_invalid'),
    changed('proof one digit short', { proof: WORLD_BODY.proof.slice(0, -1) }, 'body_invalid'),
    changed('proof one word long', { proof: `${WORLD_BODY.proof}${'0'.repeat(64)}` }, 'body_invalid'),
    changed('proof nested', { proof: [[hex(ax), hex(ay)]] }, 'body_invalid'),
    ...NAMES.map((name, i) =>
      proof(
        `${name} + q, the same coordinate written again`,
        at(i, (word) => word + Fp.ORDER),
      ),
    ),
    ...NAMES.map((name, i) =>
      proof(
        `${name} + 1, off the curve`,
        at(i, (word) => word + 1n),
      ),
    ),
    proof('limbs of B swapped, as snarkjs has them', [ax, ay, bx0, bx1, by0, by1, cx, cy]),
    proof('A at infinity', [0n, 0n, bx1, bx0, by1, by0, cx, cy]),
    proof('B at infinity', [ax, ay, 0n, 0n, 0n, 0n, cx, cy]),
    proof('C at infinity', [ax, ay, bx1, bx0, by1, by0, 0n, 0n]),
    proof(
      'everything at infinity',
      words.map(() => 0n),
    ),
    proof('B outside the subgroup', [ax, ay, ...wordsOf(outside()), cx, cy]),
    proof('B plus a point of another order, outside the subgroup', [ax, ay, ...withCofactor(), cx, cy]),
    proof('A negated', [ax, negate(ay), bx1, bx0, by1, by0, cx, cy]),
    proof('C negated', [ax, ay, bx1, bx0, by1, by0, cx, negate(cy)]),
    proof('A and C exchanged', [cx, cy, bx1, bx0, by1, by0, ax, ay]),
    proof('A doubled', [...scaled([ax, ay], 2n), bx1, bx0, by1, by0, cx, cy]),
  ],
};

/** B times one half. */
function halved(): Words {
  const b = bn254.G2.Point.fromAffine({ x: { c0: bx0, c1: bx1 }, y: { c0: by0, c1: by1 } });
  return wordsOf(b.multiply((FIELD_ORDER + 1n) / 2n));
}

for (const [name, content] of Object.entries({ field_elements: fields, bodies })) {
  writeFileSync(fileUrl(`verify/vectors/${name}.json`), `${JSON.stringify(content, null, 1)}\n`);
}
