/** Whole requests: what is refused, in which order, and who was first. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  fieldElementOf,
  Humans,
  MemoryNullifierStore,
  Roots,
  UnumError,
  type Check,
  type NullifierStore,
  type Root,
} from '@unum/verify';

import { rejects } from './help/assert.js';
import { jsonOf } from './help/files.js';
import { APP, bodyOf, FORGED_KEY, ROOT } from './help/forge.js';
import { WORLD_BODY, WORLD_KEY } from './help/world.js';

const NOW = 1_800_000_000;
const WINDOW = 604_800;
const published = (root: Root, replaced_at: number | null = null) => ({ root, size: 12, replaced_at });
const ROOTS = new Roots([published(ROOT)], WINDOW);

function app(change: Partial<ConstructorParameters<typeof Humans>[0]> = {}): Humans {
  const store = new MemoryNullifierStore();
  return new Humans({ appId: APP, keys: [FORGED_KEY], roots: ROOTS, store, clock: () => NOW, ...change });
}

const code = (check: Check) => (check.ok ? null : check.code);

test('a human may act once', async () => {
  const humans = app();
  const body = bodyOf('ann', 'vote', 'yes');
  const first = await humans.check(body, { action: 'vote', signal: 'yes' });
  assert.deepEqual(first, { ok: true, nullifier: body.nullifier, uses: 1 });
  const again = bodyOf('ann', 'vote', 'no');
  assert.equal(code(await humans.check(body, { action: 'vote', signal: 'yes' })), 'nullifier_used');
  assert.equal(code(await humans.check(again, { action: 'vote', signal: 'no' })), 'nullifier_used');
  assert.equal(code(await humans.check(bodyOf('bob', 'vote', 'no'), { action: 'vote', signal: 'no' })), null);
  assert.equal(code(await humans.check(bodyOf('ann', 'post', 'hi'), { action: 'post', signal: 'hi' })), null);
});

test('a body may come as text', async () => {
  const body = JSON.stringify(bodyOf('ann', 'vote', 'yes'));
  assert.equal(code(await app().check(body, { action: 'vote', signal: 'yes' })), null);
});

test('every shared vector', async () => {
  const { signal, body, cases } = jsonOf('verify/vectors/bodies.json');
  assert.deepEqual(body, WORLD_BODY);
  assert.ok(cases.length >= 50, 'an empty file must not pass');
  for (const { name, change, code: expected } of cases) {
    const changed = Object.entries({ ...body, ...change }).filter(([, value]) => value !== null);
    const humans = app({ appId: body.app_id, keys: [WORLD_KEY], roots: new Roots([published(body.root)], WINDOW) });
    const check = await humans.check(Object.fromEntries(changed), { action: body.action, signal });
    assert.equal(code(check), expected, name);
  }
});

test('what is no body', async () => {
  const { proof, ...rest } = bodyOf('ann', 'vote', 'yes');
  const inherited = Object.assign(Object.create({ proof }) as object, rest);
  const own = JSON.parse(`{"__proto__": ${JSON.stringify({ proof })}, ${JSON.stringify(rest).slice(1)}`);
  for (const body of [null, undefined, 5, '', '{', '[]', [], {}, inherited, own, { ...rest, proof, action: null }]) {
    assert.equal(code(await app().check(body, { action: 'vote', signal: 'yes' })), 'body_invalid');
  }
});

test('a proof for another app, action or signal is no proof here', async () => {
  const body = bodyOf('ann', 'vote', 'yes');
  assert.equal(code(await app({ appId: 'app_other' }).check(body, { action: 'vote', signal: 'yes' })), 'body_invalid');
  assert.equal(code(await app().check(body, { action: 'post', signal: 'yes' })), 'body_invalid');
  assert.equal(code(await app().check(body, { action: 'vote', signal: 'no' })), 'signal_mismatch');
  const claimed = { ...body, action: 'post' };
  assert.equal(code(await app().check(claimed, { action: 'post', signal: 'yes' })), 'proof_invalid');
});

test("a key's proofs hold only where the key is trusted", async () => {
  const body = bodyOf('ann', 'vote', 'yes');
  const expected = { action: 'vote', signal: 'yes' };
  assert.equal(code(await app({ keys: [WORLD_KEY] }).check(body, expected)), 'proof_invalid');
  assert.equal(code(await app({ keys: [] }).check(body, expected)), 'proof_invalid');
  assert.equal(code(await app({ keys: [WORLD_KEY, FORGED_KEY] }).check(body, expected)), null);
});

test('a root counts from when it was replaced', async () => {
  const [old, gone] = [fieldElementOf<'root'>(7n), fieldElementOf<'root'>(8n)];
  const roots = new Roots([published(ROOT), published(old, NOW - WINDOW), published(gone, NOW - WINDOW - 1)], WINDOW);
  const humans = app({ roots });
  const ask = async (root: Root) =>
    code(await humans.check(bodyOf('ann', 'vote', 'yes', { root }), { action: 'vote', signal: 'yes' }));
  assert.equal(await ask(gone), 'root_expired');
  assert.equal(await ask(fieldElementOf(9n)), 'root_unknown');
  assert.equal(await ask(old), null);
});

test('a refused request uses nothing up', async () => {
  const store = new MemoryNullifierStore();
  const humans = app({ store });
  const body = bodyOf('ann', 'vote', 'yes');
  const broken = { ...body, proof: bodyOf('bob', 'vote', 'yes').proof };
  assert.equal(code(await humans.check(broken, { action: 'vote', signal: 'yes' })), 'proof_invalid');
  const examined = await humans.examine(body, { action: 'vote', signal: 'yes' });
  assert.ok(examined.ok);
  assert.equal(await store.uses(examined.scope, examined.nullifier), 0);
  assert.equal(code(await humans.check(body, { action: 'vote', signal: 'yes' })), null);
});

test('a hundred at once: as many pass as may', async () => {
  const store = new MemoryNullifierStore();
  const body = bodyOf('ann', 'post', 'hi');
  const examined = await app({ store }).examine(body, { action: 'post', signal: 'hi' });
  assert.ok(examined.ok);
  const { scope, nullifier } = examined;
  const results = await Promise.all(Array.from({ length: 100 }, () => store.consume(scope, nullifier, 3)));
  assert.deepEqual(
    results.filter((uses) => uses !== undefined),
    [1, 2, 3],
  );
  assert.equal(await store.uses(scope, nullifier), 3);
});

test('whole requests at once: as many pass as may', async () => {
  const humans = app();
  const body = bodyOf('ann', 'post', 'hi');
  const expected = { action: 'post', signal: 'hi', maxUses: 3 };
  const checks = await Promise.all(Array.from({ length: 20 }, () => humans.check(body, expected)));
  assert.deepEqual(checks.flatMap((check) => (check.ok ? [check.uses] : [])).sort(), [1, 2, 3]);
  assert.equal(checks.filter((check) => code(check) === 'nullifier_used').length, 17);
});

test('only the write decides who was first', async () => {
  // A store whose look is always too early, as between two servers.
  const store = new MemoryNullifierStore();
  const blind: NullifierStore = { uses: async () => 0, consume: (...of) => store.consume(...of) };
  const humans = app({ store: blind });
  const body = bodyOf('ann', 'vote', 'yes');
  assert.equal(code(await humans.check(body, { action: 'vote', signal: 'yes' })), null);
  assert.equal(code(await humans.check(body, { action: 'vote', signal: 'yes' })), 'nullifier_used');
});

test("the app's own mistakes are errors", async () => {
  const body = bodyOf('ann', 'vote', 'yes');
  for (const maxUses of [0, -1, 1.5, NaN, Infinity]) {
    await assert.rejects(app().check(body, { action: 'vote', signal: 'yes', maxUses }), RangeError);
  }
  await rejects('text_malformed', app().check(body, { action: 'vote', signal: '\ud800' }));
});

test('roots that cannot be had are an error, not a refusal', async () => {
  const roots = { status: () => Promise.reject(new UnumError('unavailable', 'down')) };
  await rejects('unavailable', app({ roots }).check(bodyOf('ann', 'vote', 'yes'), { action: 'vote', signal: 'yes' }));
});
