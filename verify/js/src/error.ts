/**
 * The one error of this package.
 *
 * A code is stable and says what the caller should do differently; the message is for people. Whether a human is
 * admitted is never an error but a result (`Check` in `humans.ts`).
 */

/** Why something was refused before it could mean anything. */
export type ErrorCode =
  /** Not `0x` and exactly 64 lower-case hex digits. Whoever wrote it has to write it right; do not mend it. */
  | 'field_malformed'
  /** A value of the field's order or more: another encoding of a smaller one. */
  | 'field_not_reduced'
  /** Text with half a surrogate pair, which has no UTF-8. */
  | 'text_malformed'
  /** Not the eight words of a proof, in the form that it was taken for. */
  | 'proof_malformed'
  /** A point off its curve, outside its subgroup, or the identity. No honest tool writes such a thing. */
  | 'point_invalid'
  /** Not a verifying key of four public inputs in the form that it was taken for. */
  | 'key_malformed'
  /** The server offers none of the keys that the app trusts, or says that a key is another than it is. */
  | 'key_unknown'
  /** Not the body of a verification. */
  | 'body_invalid'
  /** Not a list of roots as a server publishes it. */
  | 'roots_malformed'
  /** The server gave no answer, or none that can be used. Try again later. */
  | 'unavailable'
  /** Not a signed request, or not one that can be made: a wrong key, a life of more than five minutes. */
  | 'request_malformed'
  /** Not a link to a request on a bridge. */
  | 'link_malformed'
  /** The bridge does not have the request, or has it no more: it lives 900 seconds and is handed out once. */
  | 'bridge_expired'
  /** The bridge has an answer to this request already. */
  | 'bridge_answered'
  /** The bridge could not be reached, or failed. Try again. */
  | 'bridge_unavailable'
  /** What came over the bridge does not open with the link's key, or is not what it should be. */
  | 'payload_invalid';

/** An error with a stable `code`. */
export class UnumError extends Error {
  override readonly name = 'UnumError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
