/* Leaving: the sign-out, which voids the token on every device. */

import { call, Refused } from "./api.js";
import { dropDraft, dropForms } from "./drafts.js";
import { go } from "./router.js";
import { say } from "./say.js";
import { leave } from "./session.js";
import { W } from "./words.js";

let isLeaving = false;

/** Whether the session ends because its user wants so; otherwise it was lost. */
export function isSigningOut() {
  return isLeaving;
}

export async function signOut() {
  isLeaving = true;
  let words = W.signedOut;
  try {
    await call("post", "/api/auth/token/logout/");
  } catch (error) {
    // The token is forgotten here in any case; a token that is void already needs no sign-out.
    if (!(error instanceof Refused && error.status === 401)) words = W.signedOutHere;
  }
  goodbye(words);
}

/** Forgets the user, and what was typed. @param {string} words */
export function goodbye(words) {
  isLeaving = true;
  dropDraft();
  leave();
  isLeaving = false;
  go("/");
  dropForms();
  say(words);
}
