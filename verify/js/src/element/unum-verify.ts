/** The component: attributes in, events out, and one request at a time in between. */

import type { ProofBody } from '../body.js';
import { createSession, type AppSession, type Poll, type WalletErrorCode } from '../bridge.js';
import { UnumError, type ErrorCode } from '../error.js';
import { ENGLISH, type Messages } from './messages.js';
import { View, type State } from './view.js';

/** Detail of the event `unum-error`. */
export interface UnumErrorDetail {
  /** The wallet's reason where the state is `refused`, else ours. */
  readonly code: WalletErrorCode | ErrorCode;
}

/** Milliseconds between two looks at the bridge. IDKit looks every 3 seconds; a person notices less. */
const INTERVAL = 1500;

/** How long a bridge keeps a request, in milliseconds (`worldcoin/wallet-bridge`, `utils.rs`). */
const LIFE = 900_000;

/** A server that renders pages imports this as well, and has no elements. */
const Base = globalThis.HTMLElement ?? (class {} as typeof HTMLElement);

/**
 * `<unum-verify app-id action signal bridge link-base action-description>`.
 *
 * Events, which bubble: `unum-result` with the body for the app's server as its detail, and `unum-error` with
 * {@link UnumErrorDetail}. The attribute `state` shows the state, for styles and tests. Changing another attribute drops
 * the open request: it was for something else.
 */
export class UnumVerifyElement extends Base {
  static readonly observedAttributes = ['app-id', 'action', 'signal', 'bridge', 'link-base', 'action-description'];

  #view: View | undefined;
  #messages = ENGLISH;
  #link = '';
  /** Ends what is running. */
  #running: AbortController | undefined;

  /** What it is doing. */
  get state(): State {
    return (this.getAttribute('state') as State | null) ?? 'idle';
  }

  /** The texts; set some of them for another language. */
  get messages(): Messages {
    return this.#messages;
  }

  set messages(messages: Partial<Messages>) {
    this.#messages = { ...ENGLISH, ...messages };
    this.#show(this.state);
  }

  connectedCallback(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open', delegatesFocus: true });
    this.#view ??= new View(root, () => (this.#running ? this.cancel() : void this.start()));
    this.#show('idle');
  }

  disconnectedCallback(): void {
    this.#stop();
  }

  attributeChangedCallback(_name: string, before: string | null, after: string | null): void {
    if (this.#view && before !== after) this.cancel();
  }

  /** Forgets the open request. A proof that is under way is lost; its nullifier is not used up by that. */
  cancel(): void {
    this.#stop();
    this.#show('idle');
  }

  /** Asks for a proof, as if the button were pressed. Resolves when the request has ended in any way. */
  async start(): Promise<void> {
    this.#stop();
    const running = (this.#running = new AbortController());
    this.#show('waiting');
    try {
      const session = await this.#create(running.signal);
      running.signal.throwIfAborted();
      this.#link = session.link;
      this.#show('waiting');
      this.#finish(await this.#follow(session, running.signal));
    } catch (error) {
      if (!running.signal.aborted) this.#fail(error);
    } finally {
      if (this.#running === running) this.#running = undefined;
    }
  }

  #create(abort: AbortSignal): Promise<AppSession> {
    const get = (name: string) => this.getAttribute(name) ?? undefined;
    return createSession({
      bridge: get('bridge') ?? location.origin,
      appId: get('app-id') ?? '',
      action: get('action') ?? '',
      signal: get('signal') ?? '',
      actionDescription: get('action-description'),
      linkBase: get('link-base'),
      abort,
    });
  }

  /** Looks until there is an answer. A bridge that cannot be reached is tried again until the request has expired. */
  async #follow(session: AppSession, abort: AbortSignal): Promise<Exclude<Poll, { status: 'waiting' | 'opened' }>> {
    const end = performance.now() + LIFE;
    for (;;) {
      await pause(INTERVAL, abort);
      try {
        const poll = await session.poll({ abort });
        abort.throwIfAborted();
        if (poll.status === 'done' || poll.status === 'refused') return poll;
        this.#show(poll.status);
      } catch (error) {
        abort.throwIfAborted(); // a request that was dropped shows nothing any more
        const lost = error instanceof UnumError && error.code === 'bridge_unavailable';
        if (!lost || performance.now() > end) throw error;
        this.#show('offline');
      }
    }
  }

  #finish(poll: Exclude<Poll, { status: 'waiting' | 'opened' }>): void {
    this.#end(poll.status);
    if (poll.status === 'done') this.#emit<ProofBody>('unum-result', poll.body);
    else this.#emit<UnumErrorDetail>('unum-error', { code: poll.code });
  }

  #fail(error: unknown): void {
    const code = error instanceof UnumError ? error.code : undefined;
    this.#end(code === 'bridge_expired' ? 'expired' : code === 'bridge_unavailable' ? 'offline' : 'refused');
    if (code === undefined) throw error;
    this.#emit<UnumErrorDetail>('unum-error', { code });
  }

  #stop(): void {
    this.#running?.abort();
    this.#running = undefined;
    this.#link = '';
  }

  /** Before the event: its listener may start anew. */
  #end(state: State): void {
    this.#running = undefined;
    this.#link = '';
    this.#show(state);
  }

  #show(state: State): void {
    if (!this.#view) return;
    this.setAttribute('state', state);
    this.#view.show(state, this.#link, this.#messages);
  }

  #emit<T>(name: string, detail: T): void {
    this.dispatchEvent(new CustomEvent<T>(name, { detail, bubbles: true, composed: true }));
  }
}

/** Waits; rejects as soon as it is aborted. */
function pause(milliseconds: number, abort: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => (clearTimeout(timer), reject(abort.reason as Error));
    const timer = setTimeout(() => (abort.removeEventListener('abort', stop), resolve()), milliseconds);
    if (abort.aborted) stop();
    else abort.addEventListener('abort', stop, { once: true });
  });
}

declare global {
  interface HTMLElementTagNameMap {
    'unum-verify': UnumVerifyElement;
  }
  interface HTMLElementEventMap {
    'unum-result': CustomEvent<ProofBody>;
    'unum-error': CustomEvent<UnumErrorDetail>;
  }
}
