/** The example servers over HTTP, as a cheat would talk to them. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { bodyOf as body } from './help/forge.js';
import type { TestBridge } from './help/bridge.js';
import { skipExamples as skip, startExample, startUnum } from './help/examples.js';

let unum: TestBridge;
let folder: string;
before(async () => {
  unum = await startUnum();
  folder = mkdtempSync(join(tmpdir(), 'unum-examples-'));
});
after(() => {
  unum.close();
  rmSync(folder, { recursive: true });
});

async function post(url: string, json: unknown): Promise<[number, any]> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(json) });
  return [answer.status, await answer.json()];
}

const codeOf = ([status, json]: [number, any]) => [status, json.code];

test('one human, one vote', { skip }, async () => {
  const VOTES = join(folder, 'votes.jsonl');
  const bodyOf = (who: string, vote: string) => body(who, 'park-2027', vote, { app: 'app_example_vote' });
  let example = await startExample('one-human-one-vote', unum, { VOTES });
  const vote = (vote: string, unum: unknown) => post(`${example.url}/vote`, { vote, unum });
  try {
    const ann = bodyOf('ann', 'yes');
    assert.deepEqual(codeOf(await vote('no', ann)), [422, 'signal_mismatch']);
    assert.deepEqual(codeOf(await vote('maybe', ann)), [422, 'vote_unknown']);
    assert.deepEqual(codeOf(await vote('yes', { ...ann, proof: bodyOf('bob', 'yes').proof })), [422, 'proof_invalid']);
    assert.deepEqual(codeOf(await vote('yes', undefined)), [400, 'body_invalid']);
    assert.deepEqual(await vote('yes', ann), [200, { yes: 1, no: 0 }]);
    assert.deepEqual(codeOf(await vote('yes', ann)), [409, 'nullifier_used']);
    assert.deepEqual(codeOf(await vote('no', bodyOf('ann', 'no'))), [409, 'nullifier_used']);

    const bob = bodyOf('bob', 'no');
    const once = await Promise.all(Array.from({ length: 10 }, () => vote('no', bob)));
    assert.equal(once.filter(([status]) => status === 200).length, 1);
    assert.deepEqual(await (await fetch(`${example.url}/votes`)).json(), { yes: 1, no: 1 });
    assert.equal(readFileSync(VOTES, 'utf8').trim().split('\n').length, 2);

    await example.stop();
    example = await startExample('one-human-one-vote', unum, { VOTES });
    assert.deepEqual(codeOf(await vote('yes', ann)), [409, 'nullifier_used'], 'after a restart too');
  } finally {
    await example.stop();
  }
});

test('posts per day', { skip }, async () => {
  const example = await startExample('posts-per-day', unum);
  const send = (text: unknown, unum: unknown) => post(`${example.url}/posts`, { text, unum });
  try {
    const { action } = (await (await fetch(`${example.url}/posts`)).json()) as { action: string };
    assert.match(action, /^post-\d{4}-\d{2}-\d{2}$/);
    const bodyOf = (who: string, text: string, day = action) =>
      body(who, day, `post:${text}`, { app: 'app_example_posts' });
    for (const [i, text] of ['one', '0x6869', 'three'].entries()) {
      assert.deepEqual(await send(text, bodyOf('ann', text)), [200, { left: 2 - i }]);
    }
    assert.deepEqual(codeOf(await send('four', bodyOf('ann', 'four'))), [409, 'nullifier_used']);
    assert.deepEqual(codeOf(await send('hi', bodyOf('bob', '0x6869'))), [422, 'signal_mismatch']);
    assert.deepEqual(codeOf(await send('old', bodyOf('bob', 'old', 'post-2020-01-01'))), [400, 'body_invalid']);
    assert.deepEqual(codeOf(await send('', bodyOf('bob', ''))), [422, 'text_invalid']);
    assert.deepEqual(codeOf(await send('none', undefined)), [400, 'proof_missing']);
    assert.deepEqual(codeOf(await send('x'.repeat(20_000), undefined)), [413, 'body_too_long']);
    const { posts } = (await (await fetch(`${example.url}/posts`)).json()) as {
      posts: { text: string; author: string }[];
    };
    assert.deepEqual(
      posts.map(({ text }) => text),
      ['three', '0x6869', 'one'],
    );
    assert.equal(new Set(posts.map(({ author }) => author)).size, 1);
  } finally {
    await example.stop();
  }
});

test('an example serves its modules and nothing else', { skip }, async () => {
  const example = await startExample('posts-per-day', unum);
  const status = async (path: string) => (await fetch(example.url + path)).status;
  try {
    const found = [
      '/',
      '/modules/unum/element.js',
      '/modules/unum/bridge/app.js',
      '/modules/hashes/sha3.js',
      '/modules/qr/index.js',
    ];
    for (const path of found) assert.equal(await status(path), 200, path);
    const hidden = [
      '/server.mjs',
      '/modules/unum/../package.json',
      '/modules/unum/%2e%2e/package.json',
      '/modules/x/y.js',
      '/modules/unum/none.js',
    ];
    for (const path of hidden) assert.equal(await status(path), 404, path);
  } finally {
    await example.stop();
  }
});
