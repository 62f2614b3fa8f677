/**
 * The wallet's side of a bridge: opens a link, shows its human what is asked, answers.
 *
 * Whoever has the link can ask anything in anyone's name: nothing here proves which app it is. A nullifier for the app's
 * id is all that an impostor would get, but a wallet shows app, action and bridge before it proves.
 */

import { parseLink, type BridgeLink } from './link.js';
import { send, type BridgeOptions } from './mailbox.js';
import { readQuestion, writeAnswer, type WalletAnswer, type WalletErrorCode, type WalletQuestion } from './messages.js';
import { open, seal } from './sealed.js';

/** One request on a bridge, from the wallet's side. */
export interface WalletSession {
  readonly question: WalletQuestion;
  readonly bridge: string;

  /**
   * Sends the proof.
   *
   * @throws {UnumError} `bridge_answered`, `bridge_expired`, `bridge_unavailable` (send again)
   */
  answer(answer: WalletAnswer): Promise<void>;

  /**
   * Says that there will be no proof.
   *
   * @throws as {@link answer}
   */
  refuse(code?: WalletErrorCode): Promise<void>;
}

/**
 * Fetches the request that a link leads to. The bridge hands it out once.
 *
 * @param link the whole link, or one that {@link parseLink} has read
 * @throws {UnumError} `link_malformed`, `bridge_expired`, `bridge_unavailable`, `payload_invalid`
 */
export async function openLink(link: string | BridgeLink, options: BridgeOptions = {}): Promise<WalletSession> {
  const { requestId, key, bridge } = typeof link === 'string' ? parseLink(link) : link;
  const question = readQuestion(await open(key, await send(bridge, 'GET', `/request/${requestId}`, options)));
  const put = async (message: object) => {
    await send(bridge, 'PUT', `/response/${requestId}`, options, await seal(key, message));
  };
  return {
    question,
    bridge,
    answer: (answer) => put(writeAnswer(answer)),
    refuse: (code = 'verification_rejected') => put({ error_code: code }),
  };
}
