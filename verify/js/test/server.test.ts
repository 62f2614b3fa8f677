/** Middleware, roots and keys of a server, and asking it to verify. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import { fieldElementOf, Humans, MemoryNullifierStore, Roots, UnumError, type RootSource } from '@unum/verify';
import {
  fetchKeys,
  requireHuman,
  requireHumanExpress,
  RootsClient,
  verifyRemotely,
  type ExpressRequest,
} from '@unum/verify/server';

import { refuses, rejects } from './help/assert.js';
import { APP, bodyOf, FORGED_KEY, ROOT } from './help/forge.js';
import { WORLD_KEY } from './help/world.js';

const NOW = 1_800_000_000;
const LIST = { roots: [{ root: ROOT, size: 12, replaced_at: null }], window_seconds: 604_800 };
const app = (roots: RootSource = Roots.fromJson(LIST)) =>
  new Humans({ appId: APP, keys: [FORGED_KEY], roots, store: new MemoryNullifierStore(), clock: () => NOW });
const header = (body: unknown) => Buffer.from(JSON.stringify(body)).toString('base64url');
const down: RootSource = { status: () => Promise.reject(new UnumError('unavailable', 'down')) };

/** A platform's `fetch` that answers with what `answer` says, and counts. */
function fake(answer: (url: string, init: RequestInit | undefined) => unknown) {
  const asked: string[] = [];
  const fetch = async (url: string | URL | Request, init?: RequestInit) => {
    asked.push(String(url));
    const json = answer(String(url), init);
    return json instanceof Response ? json : Response.json(json);
  };
  return { fetch: fetch as typeof globalThis.fetch, asked };
}

test('middleware: a proof in the header', async () => {
  const voter = requireHuman(app(), async (request) => ({ action: 'vote', signal: (await request.json()).vote }));
  const send = (body: unknown, vote = 'yes') =>
    voter(
      new Request('http://app.example/vote', {
        method: 'POST',
        headers: { 'unum-proof': typeof body === 'string' ? body : header(body) },
        body: JSON.stringify({ vote }),
      }),
    );
  const body = bodyOf('ann', 'vote', 'yes');
  assert.deepEqual(await problemOf(await send(body, 'no')), [422, 'signal_mismatch']);
  assert.deepEqual(await send(body), { nullifier: body.nullifier, uses: 1 });
  assert.deepEqual(await problemOf(await send(body)), [409, 'nullifier_used']);
  assert.deepEqual(await problemOf(await send({ ...body, root: fieldElementOf(9n) })), [422, 'root_unknown']);
  for (const text of ['a', '%', `${header(body)}=`, header(body).slice(1), header('x'), 'A'.repeat(9000)]) {
    assert.deepEqual(await problemOf(await send(text)), [400, 'body_invalid'], text.slice(0, 9));
  }
});

test('middleware: a proof in the body, which stays unread', async () => {
  const voter = requireHuman(app(), async (request) => ({ action: 'vote', signal: (await request.json()).vote }));
  const request = (json: unknown, type = 'application/json') =>
    new Request('http://app.example/vote', {
      method: 'POST',
      headers: { 'content-type': type },
      body: JSON.stringify(json),
    });
  const unum = bodyOf('ann', 'vote', 'yes');
  const sent = request({ vote: 'yes', unum });
  assert.deepEqual(await voter(sent), { nullifier: unum.nullifier, uses: 1 });
  assert.deepEqual(await sent.json(), { vote: 'yes', unum });

  for (const json of [{ vote: 'yes' }, null, [], 'text', { vote: 'yes', unum, more: 'x'.repeat(70_000) }]) {
    assert.deepEqual(await problemOf(await voter(request(json))), [400, 'proof_missing']);
  }
  assert.deepEqual(await problemOf(await voter(request({ vote: 'yes', unum }, 'text/plain'))), [400, 'proof_missing']);
  assert.deepEqual(await problemOf(await voter(new Request('http://app.example/'))), [400, 'proof_missing']);
});

test('middleware: roots that cannot be had', async () => {
  const voter = requireHuman(app(down), () => ({ action: 'vote', signal: 'yes' }));
  const headers = { 'unum-proof': header(bodyOf('ann', 'vote', 'yes')) };
  assert.deepEqual(await problemOf(await voter(new Request('http://app.example/', { headers }))), [503, 'unavailable']);
});

test('Express', async () => {
  const poster = requireHumanExpress(app(), () => ({ action: 'post', signal: 'hi', maxUses: 2 }));
  const server = createServer((request, response) => {
    const req: ExpressRequest = Object.assign(request, { body: request.url === '/body' ? { unum } : undefined });
    void poster(req, response, (error) => response.end(JSON.stringify(error ? 'failed' : req.human)));
  });
  const unum = bodyOf('ann', 'post', 'hi');
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const get = (path: string, headers = {}) => fetch(url + path, { headers });
  try {
    assert.deepEqual(await (await get('/', { 'unum-proof': header(unum) })).json(), {
      nullifier: unum.nullifier,
      uses: 1,
    });
    assert.deepEqual(await (await get('/body')).json(), { nullifier: unum.nullifier, uses: 2 });
    assert.deepEqual(await problemOf(await get('/body')), [409, 'nullifier_used']);
    assert.deepEqual(await problemOf(await get('/')), [400, 'proof_missing']);
    assert.deepEqual(await problemOf(await get('/', { 'unum-proof': '?' })), [400, 'body_invalid']);
  } finally {
    server.close();
  }
});

test("Express: the app's own errors go on", async () => {
  const errors: unknown[] = [];
  const response = { statusCode: 0, setHeader: () => undefined, end: () => assert.fail('nothing is sent') };
  const request = { headers: { 'unum-proof': header(bodyOf('ann', 'post', 'hi')) } };
  const failing = requireHumanExpress(app(), () => Promise.reject(new TypeError('no vote')));
  await failing(request, response, (error) => errors.push(error));
  assert.ok(errors[0] instanceof TypeError);
});

test('roots are fetched when they are needed', async () => {
  const newer = fieldElementOf<'root'>(43n);
  let list = LIST;
  const { fetch, asked } = fake(() => list);
  const roots = new RootsClient('https://unum.example/base/', { fetch });
  assert.equal(await roots.status(ROOT, NOW), 'counts');
  assert.equal(await roots.status(ROOT, NOW + 9), 'counts');
  assert.deepEqual(asked, ['https://unum.example/base/v1/roots']);
  assert.equal(await roots.status(ROOT, NOW + 10), 'counts');
  assert.equal(asked.length, 2, 'after ten seconds');

  list = { ...LIST, roots: [{ root: newer, size: 13, replaced_at: null }] };
  assert.equal(await roots.status(newer, NOW + 10), 'unknown', 'asked this very second');
  assert.equal(await roots.status(newer, NOW + 11), 'counts', 'asked for an unknown root');
  assert.equal(asked.length, 3);
  const made_up = Array.from({ length: 50 }, (_, i) => roots.status(fieldElementOf(BigInt(1000 + i)), NOW + 12));
  assert.ok((await Promise.all(made_up)).every((status) => status === 'unknown'));
  assert.equal(asked.length, 4, 'made-up roots cost one request a second');
  assert.equal(await roots.status(newer, NOW - 5000), 'counts', 'a clock that is set back stops nothing');
});

test('roots that were named go on counting while the server is down', async () => {
  let up = true;
  const { fetch } = fake(() => (up ? LIST : new Response('', { status: 502 })));
  const roots = new RootsClient('https://unum.example', { fetch });
  assert.equal(await roots.status(ROOT, NOW), 'counts');
  up = false;
  assert.equal(await roots.status(ROOT, NOW + 604_800), 'counts');
  await rejects('unavailable', roots.status(ROOT, NOW + 604_801));
  await rejects('unavailable', roots.status(fieldElementOf(9n), NOW + 20));
  await rejects('unavailable', roots.status(fieldElementOf(9n), NOW + 20), 'and at once again');
  up = true;
  assert.equal(await roots.status(fieldElementOf(9n), NOW + 700_000), 'unknown');
});

test('what is no list of roots', async () => {
  const root = LIST.roots[0];
  const bad = [
    null,
    [],
    {},
    { roots: [] },
    { ...LIST, window_seconds: -1 },
    { ...LIST, roots: [{ ...root, root: '0x5' }] },
  ];
  for (const change of [{ size: 1.5 }, { replaced_at: 'now' }, { replaced_at: undefined }]) {
    bad.push({ ...LIST, roots: [{ ...root, ...change }] } as unknown as typeof LIST);
  }
  for (const json of bad) {
    refuses('roots_malformed', () => Roots.fromJson(json));
    await rejects(
      'unavailable',
      new RootsClient(
        'https://unum.example',
        fake(() => json),
      ).status(ROOT, NOW),
    );
  }
});

test('keys are those that the app trusts', async () => {
  const offer = (key = FORGED_KEY, id = key.id) => ({ id, name: 'unum', verifying_key: key.toSnarkjs() });
  const keys = (list: unknown) => fake(() => ({ keys: list }));
  const found = await fetchKeys('https://unum.example', [FORGED_KEY.id], keys([offer(WORLD_KEY), offer()]));
  assert.deepEqual(
    found.map(({ id, name, key }) => [id, name, key.id]),
    [[FORGED_KEY.id, 'unum', FORGED_KEY.id]],
  );
  const asking = (list: unknown) => fetchKeys('https://unum.example', [FORGED_KEY.id], keys(list));
  await rejects('key_unknown', asking([offer(WORLD_KEY)]));
  await rejects('key_unknown', asking([offer(WORLD_KEY, FORGED_KEY.id)]), 'a lie');
  await rejects('key_unknown', asking([null, 5, {}]));
  await rejects('unavailable', asking(undefined));
});

test('a server verifies', async () => {
  const body = bodyOf('ann', 'vote', 'yes');
  const expected = { appId: APP, action: 'vote', signal: 'yes' };
  const answers = (status: number, json: unknown) => fake(() => Response.json(json, { status }));
  const ask = (server: ReturnType<typeof fake>, change = {}) =>
    verifyRemotely('https://unum.example', body, { ...expected, ...change }, server);

  let sent: unknown;
  const server = fake((_url, init) => {
    sent = JSON.parse(String(init?.body));
    return { nullifier: body.nullifier, used_at: NOW };
  });
  assert.deepEqual(await ask(server), { ok: true, nullifier: body.nullifier, uses: 1 });
  assert.deepEqual(sent, body);
  assert.deepEqual(server.asked, ['https://unum.example/v1/verify']);
  const second = answers(200, { nullifier: body.nullifier, uses: 2 });
  assert.deepEqual(await ask(second), { ok: true, nullifier: body.nullifier, uses: 2 });
  for (const [status, code] of [
    [409, 'nullifier_used'],
    [422, 'root_expired'],
    [422, 'proof_invalid'],
    [400, 'body_invalid'],
  ]) {
    assert.deepEqual(await ask(answers(status as number, { code })), { ok: false, code });
  }

  const none = fake(() => assert.fail('nothing is sent'));
  assert.deepEqual(await ask(none, { signal: 'no' }), { ok: false, code: 'signal_mismatch' });
  assert.deepEqual(await ask(none, { action: 'post' }), { ok: false, code: 'body_invalid' });
  assert.deepEqual(await ask(none, { appId: 'app_other' }), { ok: false, code: 'body_invalid' });
  assert.deepEqual(await verifyRemotely('https://unum.example', '{', expected, none), {
    ok: false,
    code: 'body_invalid',
  });

  await rejects('unavailable', ask(answers(503, { code: 'unavailable' })));
  await rejects('unavailable', ask(answers(200, { nullifier: fieldElementOf(5n) })), 'of somebody else');
  await rejects('unavailable', ask(answers(200, { code: 'nullifier_used' })));
  await rejects('unavailable', ask(fake(() => new Response('<html>'))));
});

async function problemOf(response: unknown): Promise<[number, string]> {
  assert.ok(response instanceof Response, JSON.stringify(response));
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  const { status, code, detail } = (await response.json()) as { status: number; code: string; detail: string };
  assert.equal(status, response.status);
  assert.ok(detail.length > 10);
  return [status, code];
}
