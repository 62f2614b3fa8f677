/** What is seen of each state. Knows neither bridge nor proof. */

import type { Messages } from './messages.js';
import { qrCode } from './qr.js';
import { STYLE } from './style.js';

/** What the component is doing. */
export type State =
  /** Nothing. */
  | 'idle'
  /** Shows a code, or is fetching one. */
  | 'waiting'
  /** A wallet has the request. */
  | 'opened'
  /** The page has a proof. */
  | 'done'
  /** The wallet said no. */
  | 'refused'
  /** Nobody answered in time. */
  | 'expired'
  /** The bridge cannot be reached; it is tried again while a request is open. */
  | 'offline';

/** The elements in the shadow root. They stay the same ones in every state, so that none loses the focus. */
export class View {
  readonly #status = part('p', 'status');
  readonly #code = part('div', 'code');
  readonly #link = part('a', 'link');
  readonly #button = part('button', 'button');
  #drawn = '';

  constructor(root: ShadowRoot, pressed: () => void) {
    const frame = part('div', 'frame');
    // A live region has to be there before its text changes, or the change is not read out.
    this.#status.setAttribute('role', 'status');
    this.#status.tabIndex = -1;
    this.#button.type = 'button';
    this.#button.addEventListener('click', pressed);
    frame.append(this.#status, this.#code, this.#link, this.#button);
    root.adoptedStyleSheets = [sheet()];
    root.append(frame);
  }

  /** @param link of the open request; empty where there is none */
  show(state: State, link: string, messages: Messages): void {
    const open = link !== '';
    const asks = state === 'waiting' && open;
    this.#draw(asks ? link : '', messages);
    this.#link.textContent = messages.openWallet;
    this.#button.textContent = label(state, open, messages);
    this.#button.classList.toggle('primary', state === 'idle');
    // Whoever pressed the button with a keyboard goes on from the text that says what happened.
    if (state === 'done' && this.#button.matches(':focus')) this.#status.focus();
    this.#button.hidden = state === 'done';
    this.#say(state === 'idle' ? '' : state === 'waiting' && !open ? messages.starting : messages[state]);
  }

  #draw(link: string, messages: Messages): void {
    this.#code.hidden = this.#link.hidden = link === '';
    if (link === this.#drawn) return;
    this.#drawn = link;
    this.#link.href = link;
    this.#code.replaceChildren(...(link === '' ? [] : [qrCode(link, messages.code)]));
  }

  /** Only changes: some readers read a text again that was merely set again. */
  #say(text: string): void {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }
}

function label(state: State, open: boolean, messages: Messages): string {
  if (state === 'idle') return messages.start;
  const running = state === 'waiting' || state === 'opened' || (state === 'offline' && open);
  return running ? messages.cancel : messages.again;
}

function part<K extends keyof HTMLElementTagNameMap>(tag: K, name: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = name;
  element.setAttribute('part', name);
  return element;
}

let shared: CSSStyleSheet | undefined;

/** One for all: a constructed sheet also works where a content security policy forbids inline styles. */
function sheet(): CSSStyleSheet {
  if (!shared) {
    shared = new CSSStyleSheet();
    shared.replaceSync(STYLE);
  }
  return shared;
}
