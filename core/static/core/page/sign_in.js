/* The views of accounts that need no sign-in: sign in, register, a forgotten password, a new one. And the sign-out. */

import { accountForm, checkbox, input } from "./account_form.js";
import { call, Refused } from "./api.js";
import { fill, h } from "./dom.js";
import { dropDraft, dropForms, hasDraft } from "./drafts.js";
import { go, heading, safeNext } from "./router.js";
import { say } from "./say.js";
import { current, enter, leave } from "./session.js";
import { findZone, forgetZone } from "./shown.js";
import { W } from "./words.js";

/**
 * @param {string} username
 * @param {string} password
 * @param {boolean} keep
 */
export async function signIn(username, password, keep) {
  const { body } = await call("post", "/api/auth/token/login/", { body: { username, password }, isAnonymous: true });
  const token = body.auth_token;
  enter({ token, username }, { keep });
  try {
    // The name in its stored form, whichever way it was typed.
    const { body: me } = await call("get", "/api/auth/users/me/");
    if (current()?.token === token) enter({ token, username: me.username, isStaff: me.is_staff }, { keep });
    await findZone();
  } catch {
    // One is signed in all the same.
  }
}

/** @type {Page.View} */
export function signInView(container, { query }) {
  const next = query.get("next");
  const fields = [
    input("username", W.username, { autocomplete: "username", autofocus: true, autocapitalize: "none" }),
    input("password", W.password, { type: "password", autocomplete: "current-password" }),
    checkbox("keep", W.keep, {}, W.keepHint),
  ];
  const form = accountForm(W.signIn, fields, async ({ username = "", password = "", keep }) => {
    await signIn(username, password, keep === "on");
    // The button to sign out is there already.
    if (current()) go(safeNext(next), { replace: true });
  }, { repeats: true });
  const onward = next ? `?next=${encodeURIComponent(next)}` : "";
  fill(container, h("section", { class: "narrow card" },
    heading(W.signIn),
    next && hasDraft() ? h("p", { class: "note" }, W.signInFirst) : null,
    form,
    h("p", {}, h("a", { href: "/forgotten-password" }, W.forgotten)),
    h("p", {}, W.newHere, " ", h("a", { href: `/register${onward}` }, W.register))));
}

/** Whether there is no such account yet. @param {unknown} error Of a sign-in. */
function notYet(error) {
  if (error instanceof Refused && error.status === 400) return true;
  throw error;
}

/** @type {Page.View} */
export function registerView(container, { query }) {
  const next = query.get("next");
  const fields = [
    input("username", W.username, { autocomplete: "username", autofocus: true, autocapitalize: "none" }),
    input("email", W.email, { type: "email", autocomplete: "email" }),
    input("password", W.password, { type: "password", autocomplete: "new-password" }),
  ];
  const form = accountForm(W.register, fields, async ({ username = "", email = "", password = "" }, isAgain) => {
    // After a lost answer the account may be there.
    if (!isAgain || await signIn(username, password, false).catch(notYet)) {
      await call("post", "/api/auth/users/", { body: { username, email, password } });
      await signIn(username, password, false);
    }
    if (current()) go(safeNext(next), { replace: true });
  }, { repeats: true });
  const onward = next ? `?next=${encodeURIComponent(next)}` : "";
  fill(container, h("section", { class: "narrow card" },
    heading(W.register), form,
    h("p", {}, W.haveAccount, " ", h("a", { href: `/sign-in${onward}` }, W.signIn))));
}

/** @type {Page.View} */
export function forgottenView(container) {
  const fields = [input("email", W.email, { type: "email", autocomplete: "email", autofocus: true })];
  const section = h("section", { class: "narrow card" });
  const form = accountForm(W.sendLink, fields, async ({ email = "" }) => {
    await call("post", "/api/auth/users/reset_password/", { body: { email } });
    say(W.linkSent);
    form.replaceWith(h("p", { class: "note" }, W.linkSent));
  });
  fill(section, heading(W.forgottenTitle), h("p", {}, W.forgottenText), form,
    h("p", {}, h("a", { href: "/sign-in" }, W.toSignIn)));
  fill(container, section);
}

/** @type {Page.View} */
export function resetView(container, { params: [uid = "", token = ""] }) {
  const fields = [
    input("new_password", W.newPassword, { type: "password", autocomplete: "new-password", autofocus: true }),
    input("re_new_password", W.samePassword, { type: "password", autocomplete: "new-password" }),
  ];
  const form = accountForm(W.setPassword, fields, async ({ new_password = "", re_new_password = "" }) => {
    const body = { uid, token, new_password, re_new_password };
    await call("post", "/api/auth/users/reset_password_confirm/", { body });
    go("/sign-in", { replace: true });
    say(W.passwordSet);
  });
  fill(container, h("section", { class: "narrow card" }, heading(W.resetTitle), form,
    h("p", {}, h("a", { href: "/forgotten-password" }, W.forgotten))));
}

let isLeaving = false;

/** Whether the session ends because its user wants so; otherwise it was lost. */
export function isSigningOut() {
  return isLeaving;
}

/** Voids the token, on every device. */
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
  forgetZone();
  go("/");
  dropForms();
  say(words);
}
