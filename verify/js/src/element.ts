/**
 * `<unum-verify>`: asks a person's wallet for a proof that they are one human, and hands it to the page.
 *
 * ```html
 * <unum-verify app-id="app_1" action="vote" signal="yes" bridge="https://unum.example"></unum-verify>
 * <script type="module">
 *   import '@unum/verify/element';
 *   document.querySelector('unum-verify').addEventListener('unum-result', ({ detail }) => send(detail));
 * </script>
 * ```
 *
 * It never decides that a proof is valid, and says so to nobody: the app's server does (`Humans`). For browsers; where
 * there are no elements, importing it does nothing.
 */

import { UnumVerifyElement } from './element/unum-verify.js';

export { UnumVerifyElement, type UnumErrorDetail } from './element/unum-verify.js';
export { ENGLISH, type Messages } from './element/messages.js';
export type { State } from './element/view.js';

if (globalThis.customElements && !customElements.get('unum-verify')) {
  customElements.define('unum-verify', UnumVerifyElement);
}
