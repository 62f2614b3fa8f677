/** What the component says to people. One table, so that a page can put its own language in its place. */

/** Texts of the component. */
export interface Messages {
  readonly start: string;
  readonly cancel: string;
  readonly again: string;
  readonly openWallet: string;
  /** Name of the QR code for those who do not see it. */
  readonly code: string;
  readonly waiting: string;
  readonly opened: string;
  readonly done: string;
  readonly refused: string;
  readonly expired: string;
  readonly offline: string;
  readonly starting: string;
}

/** The default. */
export const ENGLISH: Messages = {
  start: 'Prove that you are human',
  cancel: 'Cancel',
  again: 'Try again',
  openWallet: 'Open wallet',
  code: 'QR code that opens this request in your wallet',
  starting: 'Asking for a code…',
  waiting: 'Scan this code with your wallet, or open the wallet on this device.',
  opened: 'Your wallet has the request. Confirm it there.',
  done: 'Your wallet has sent the proof.',
  refused: 'Your wallet has sent no proof.',
  expired: 'This request has expired.',
  offline: 'The connection is lost. Check that you are online.',
};
