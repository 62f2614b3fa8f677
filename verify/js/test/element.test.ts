/** What a server that renders pages meets when it imports the component. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

test('where there are no elements, importing it does nothing', async () => {
  assert.equal(globalThis.customElements, undefined);
  const { UnumVerifyElement } = await import('@unum/verify/element');
  assert.equal(typeof UnumVerifyElement, 'function');
});
