/** Page and wallet over a bridge, and IDKit's forms by hand. */

import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { after, before, test } from 'node:test';

import { hashSignal, Humans, MemoryNullifierStore, Roots } from '@unum/verify';
import { createSession, openLink, parseLink, writeLink } from '@unum/verify/bridge';

import { rejects, refuses } from './help/assert.js';
import { startBridge, type TestBridge } from './help/bridge.js';
import { APP, bodyOf, FORGED_KEY, ROOT } from './help/forge.js';
import { WORLD, WORLD_PROOF, WORLD_STATEMENT } from './help/world.js';

let bridge: TestBridge;
before(async () => void (bridge = await startBridge()));
after(() => bridge.close());

const ask = () =>
  createSession({ bridge: bridge.url, appId: APP, action: 'vote', signal: 'yes', actionDescription: 'Vote „yes“' });

test('from the page to the wallet and back', async () => {
  const session = await ask();
  assert.deepEqual(await session.poll(), { status: 'waiting' });

  const wallet = await openLink(session.link);
  assert.deepEqual(wallet.question, {
    app_id: APP,
    action: 'vote',
    action_description: 'Vote „yes“',
    signal_hash: hashSignal('yes'),
  });
  assert.equal(wallet.bridge, bridge.url);
  assert.deepEqual(await session.poll(), { status: 'opened' });

  const body = bodyOf('ann', 'vote', 'yes');
  await wallet.answer(body);
  const poll = await session.poll();
  assert.deepEqual(poll, { status: 'done', body });

  const roots = new Roots([{ root: ROOT, size: 1, replaced_at: null }], 60);
  const humans = new Humans({ appId: APP, keys: [FORGED_KEY], roots, store: new MemoryNullifierStore() });
  assert.ok(poll.status === 'done' && (await humans.check(poll.body, { action: 'vote', signal: 'yes' })).ok);
  await rejects('bridge_expired', session.poll(), 'answers are handed out once');
});

test('the bridge reads nothing, and no two payloads share an IV', async () => {
  bridge.seen.length = 0;
  const session = await ask();
  await (await openLink(session.link)).answer(bodyOf('ann', 'vote', 'yes'));
  assert.equal(bridge.seen.length, 2);
  const seen = bridge.seen.map((text) => JSON.parse(text));
  for (const { iv, payload, ...rest } of seen) {
    assert.deepEqual(rest, {});
    assert.equal(Buffer.from(iv, 'base64').length, 12);
    assert.ok(!Buffer.from(payload, 'base64').includes(APP));
  }
  assert.notEqual(seen[0].iv, seen[1].iv);
});

test('the form is that of IDKit', async () => {
  bridge.seen.length = 0;
  const { link } = await ask();
  const query = new URL(link).searchParams;
  assert.deepEqual([...query.keys()], ['t', 'i', 'k', 'b']);
  assert.equal(query.get('t'), 'wld');
  const key = Buffer.from(query.get('k') ?? '', 'base64');
  assert.equal(key.length, 32);

  // Opened with another implementation of AES-GCM: the tag is the last 16 bytes, and there is no additional data.
  const { iv, payload } = JSON.parse(bridge.seen[0] ?? '');
  const sealed = Buffer.from(payload, 'base64');
  const cipher = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64')).setAuthTag(sealed.subarray(-16));
  const plain = Buffer.concat([cipher.update(sealed.subarray(0, -16)), cipher.final()]);
  assert.deepEqual(JSON.parse(plain.toString()), {
    app_id: APP,
    action_description: 'Vote „yes“',
    action: 'vote',
    signal: hashSignal('yes'),
    credential_types: ['orb'],
    verification_level: 'orb',
  });
});

test("an answer in World's forms becomes canonical", async () => {
  const forms = [WORLD.proof.packed_proof, JSON.stringify(WORLD.proof.proof), WORLD.proof.proof];
  for (const proof of forms) {
    const session = await ask();
    const wallet = await openLink(session.link);
    // What a wallet of World sends, through our own sealing.
    const raw = { root: WORLD.proof.root, nullifier: WORLD.proof.nullifierHash, proof };
    await wallet.answer(raw as Parameters<typeof wallet.answer>[0]);
    const poll = await session.poll();
    assert.ok(poll.status === 'done');
    assert.equal(poll.body.proof, WORLD_PROOF);
    assert.equal(poll.body.root, WORLD_STATEMENT.root);
    assert.equal(poll.body.nullifier, WORLD_STATEMENT.nullifier);
  }
});

test('a wallet may say no', async () => {
  const session = await ask();
  const wallet = await openLink(session.link);
  await wallet.refuse();
  await rejects('bridge_answered', wallet.answer(bodyOf('ann', 'vote', 'yes')));
  assert.deepEqual(await session.poll(), { status: 'refused', code: 'verification_rejected' });
});

test('answers that are none', async () => {
  for (const change of [{ proof: '0x' }, { nullifier: `0x${'f'.repeat(64)}` }, { root: 5 }]) {
    const session = await ask();
    const wallet = await openLink(session.link);
    await wallet.answer(Object.assign({}, bodyOf('ann', 'vote', 'yes'), change as {}));
    await rejects('payload_invalid', session.poll(), JSON.stringify(change));
  }
});

test('a link with another key opens nothing', async () => {
  const session = await ask();
  const key = new Uint8Array(32);
  await rejects('payload_invalid', openLink({ requestId: session.requestId, key, bridge: bridge.url }));
});

test('what has expired, and what cannot be reached', async () => {
  const session = await ask();
  const wallet = await openLink(session.link);
  await rejects('bridge_expired', openLink(session.link), 'a request is handed out once');
  bridge.down = true;
  await rejects('bridge_unavailable', session.poll());
  await rejects('bridge_unavailable', ask());
  bridge.down = false;
  assert.deepEqual(await session.poll(), { status: 'opened' }, 'and goes on when it can');
  bridge.expire();
  await rejects('bridge_expired', session.poll());
  await rejects('bridge_expired', wallet.refuse());
});

test('an aborted poll is no failure of the bridge', async () => {
  const session = await ask();
  await assert.rejects(session.poll({ abort: AbortSignal.abort() }), { name: 'AbortError' });
});

test('links', () => {
  const [requestId, key] = ['0123456789abcdef', Uint8Array.from({ length: 32 }, () => 251)];
  const link = { requestId, key, bridge: 'https://bridge.example/unum' };
  const text = writeLink(link);
  assert.ok(text.startsWith('unum://verify?t=wld&i=0123456789abcdef&k='));
  assert.ok(!/[+/]/.test(text.slice(text.indexOf('k=')).replace(/&.*/, '')), 'base64 is escaped');
  assert.deepEqual(parseLink(text), link);
  assert.deepEqual(parseLink(writeLink(link, 'https://wallet.example/open')), link);
  assert.deepEqual(parseLink(writeLink(link, 'https://wallet.example/open?lang=en')), link);
  assert.deepEqual(
    parseLink(text.replaceAll('%2B', '+').replaceAll('%2F', '/')),
    link,
    'from a scanner that unescapes',
  );
  const without = text.replace(/&b=.*/, '');
  assert.equal(parseLink(without, 'https://bridge.worldcoin.org').bridge, 'https://bridge.worldcoin.org');

  const bad = [
    '',
    'unum://verify',
    without,
    text.replace('t=wld', 't=other'),
    text.replace(requestId, 'short'),
    text.replace(requestId, '../../../../response'),
    text.replace(requestId, '................'),
    text.replace('k=', 'k=AAAA'),
    text.replace(/k=[^&]*/, 'k=AAAA'),
    writeLink({ ...link, bridge: 'http://bridge.example' }),
    writeLink({ ...link, bridge: 'https://me:you@bridge.example' }),
    writeLink({ ...link, bridge: 'file:///etc/passwd' }),
    writeLink({ ...link, bridge: 'bridge.example' }),
  ];
  for (const link of bad) refuses('link_malformed', () => parseLink(link), link);
  assert.equal(parseLink(writeLink({ ...link, bridge: 'http://localhost:7000' })).bridge, 'http://localhost:7000');
});
