/* The view of one's account: who one is, which mails come, feeds, quotas, the password, and the end. */

import { accountForm, checkbox, input } from "./account_form.js";
import { feedsCard } from "./account_feeds.js";
import { call } from "./api.js";
import { field, fill, h } from "./dom.js";
import { keepForms, restoreForms } from "./drafts.js";
import { momentText } from "./format.js";
import { go, heading, loadInto, needsSignIn, toPlace } from "./router.js";
import { say } from "./say.js";
import { amend, current, isKept, lose } from "./session.js";
import { showOwnZone, shownZone } from "./shown.js";
import { goodbye, signIn, signOut } from "./sign_in.js";
import { W } from "./words.js";
import { zoneField } from "./zone_picker.js";

const MAILS = /** @type {const} */ (["booking_created", "booking_changed", "booking_confirmed", "booking_rejected", "booking_cancelled"]);
const MOST_NAMES = 1000;

/** @type {Page.View} */
export function accountView(container) {
  const session = current();
  if (needsSignIn(container, W.account) || !session) return undefined;
  const section = h("section", { class: "narrow cards" });

  const load = loadInto(container, section, W.account, async (signal) => {
    const [{ body: me }, { body: preferences }, { body: quotas }, { body: feeds }] = await Promise.all([
      call("get", "/api/auth/users/me/", { signal }), call("get", "/api/profile/preferences/", { signal }),
      call("get", "/api/profile/quotas/", { signal }), call("get", "/api/calendar-feeds/", { signal }),
    ]);
    const names = quotas.some((quota) => quota.resource !== null) ? await namesOfResources(signal) : new Map();
    amend({ username: me.username, isStaff: me.is_staff });
    const confirmed = confirmation(preferences);
    const own = feedsCard(container, feeds, me.is_staff, namesOfResources);
    fill(section, heading(W.account),
      me.is_staff ? card("", h("a", { class: "button", href: "/admin/" }, W.desk), " ", h("small", {}, W.deskHint)) : null,
      card(W.about, aboutForm(me, confirmed.show), confirmed.element, pictureForm(me)),
      card(W.mails, mailsForm(preferences)),
      own.element,
      card(W.quotas, quotaList(quotas, names)),
      card(W.changePassword, passwordForm(own.drop)),
      card(W.devices, h("p", {}, W.everywhereText), h("button", { type: "button", onclick: signOut }, W.signOutEverywhere)),
      card(W.deleteAccount, h("p", {}, W.deleteNote), deleteForm()));
    restoreForms(section, me.username);
    toPlace(location.hash);
  });

  return () => {
    load.stop();
    // The session is lost: what was typed is there after the sign-in.
    if (!current()) keepForms(section, session.username);
  };
}

/** @param {string} title @param {...(Node | string | null)} parts */
function card(title, ...parts) {
  return h("div", { class: "card" }, title ? h("h2", {}, title) : null, ...parts);
}

/** The resources by id, as many as one answer holds. @param {AbortSignal} [signal] @returns {Promise<Map<number, string>>} */
async function namesOfResources(signal) {
  const { body } = await call("get", "/api/resources/", { query: { limit: MOST_NAMES }, again: true, signal });
  return new Map(body.map((each) => [each.id, each.name]));
}

/** @param {Api.Account} me @param {(now: Api.Preferences) => void} onNewAddress */
function aboutForm(me, onNewAddress) {
  let email = me.email;
  const password = input("current_password", W.currentPassword,
    { type: "password", autocomplete: "current-password", required: false }, W.emailNeedsPassword);
  const form = accountForm(W.save, [
    input("username", W.username, { value: me.username, autocomplete: "username", autocapitalize: "none" }),
    input("first_name", W.firstName, { value: me.first_name, autocomplete: "given-name", required: false }),
    input("last_name", W.lastName, { value: me.last_name, autocomplete: "family-name", required: false }),
    input("email", W.email, { value: me.email, type: "email", autocomplete: "email" }),
    password,
  ], async ({ username = "", first_name = "", last_name = "", email: typed = "", current_password = "" }) => {
    const changed = typed === email ? {} : { email: typed, ...(current_password ? { current_password } : {}) };
    const { body } = await call("patch", "/api/auth/users/me/", { body: { username, first_name, last_name, ...changed } });
    const isNew = body.email !== email;
    email = body.email;
    for (const name of /** @type {const} */ (["username", "first_name", "last_name", "email"])) value(form, name).value = body[name];
    value(form, "current_password").value = "";
    show();
    amend({ username: body.username });
    say(W.aboutSaved);
    if (isNew) onNewAddress((await call("get", "/api/profile/preferences/")).body);
  }, { name: "about", repeats: true });
  const show = () => {
    password.hidden = value(form, "email").value.trim() === email;
  };
  form.addEventListener("input", show);
  show();
  return form;
}

/** @param {HTMLFormElement} form @param {string} name */
function value(form, name) {
  return /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
}

/** Whether the address is confirmed, and how to have it confirmed. @param {Api.Preferences} preferences */
function confirmation(preferences) {
  const box = h("div", {});
  /** @param {Api.Preferences} now */
  const show = (now) => fill(box, now.email_confirmed ? h("p", { class: "hint" }, W.emailConfirmed) :
    accountForm(W.confirmEmail, [h("p", { class: "note" }, W.emailNotConfirmed)], async () => {
      await call("post", "/api/profile/confirm-email/");
      say(W.confirmationSent);
    }, { repeats: true, mood: "" }));
  show(preferences);
  return { element: box, show };
}

/** @param {Api.Account} me */
function pictureForm(me) {
  const attributes = { value: me.profile_picture ?? "", inputmode: "url", autocomplete: "photo", required: false, spellcheck: "false" };
  return accountForm(W.save, [input("profile_picture", W.picture, attributes, W.pictureHint)], async ({ profile_picture = "" }) => {
    if (profile_picture.trim()) {
      await call("put", "/api/profile/picture/", { body: { profile_picture } });
      say(W.pictureSaved);
    } else {
      await call("delete", "/api/profile/picture/delete/");
      say(W.pictureGone);
    }
  }, { name: "picture", repeats: true });
}

/** @param {Api.Preferences} preferences */
function mailsForm(preferences) {
  const { typed, names } = zoneField();
  typed.name = "time_zone";
  typed.required = true;
  typed.value = preferences.time_zone;
  const reminder = preferences.reminder_minutes;
  return accountForm(W.save, [
    field(W.zone, typed, { hint: W.ownZoneHint }),
    names,
    h("fieldset", { class: "checks" }, h("legend", {}, W.tellMe),
      MAILS.map((name) => checkbox(name, W[name], { checked: preferences[name] }))),
    input("reminder_minutes", W.reminder, { value: reminder ?? "", inputmode: "numeric", autocomplete: "off", required: false }, W.reminderHint),
  ], async ({ time_zone = "", reminder_minutes = "", ...chosen }) => {
    const minutes = reminder_minutes.trim();
    const wanted = Object.fromEntries(MAILS.map((name) => [name, chosen[name] === "on"]));
    // What is no number goes as it was typed; the API says what is wrong with it.
    const number = /^[0-9]+$/.test(minutes) ? Number(minutes) : /** @type {any} */ (minutes);
    const { body } = await call("patch", "/api/profile/preferences/", {
      body: { ...wanted, time_zone, reminder_minutes: minutes === "" ? null : number },
    });
    typed.value = body.time_zone;
    showOwnZone(body.time_zone);
    say(W.mailsSaved);
  }, { name: "mails", repeats: true });
}

/** @param {Api.Allowance[]} quotas @param {Map<number, string>} names */
function quotaList(quotas, names) {
  if (quotas.length === 0) return h("p", {}, W.noQuotas);
  return h("ul", { class: "plain" }, quotas.map((quota) => h("li", {},
    quota.resource === null ? h("strong", {}, W.allResources)
      : h("a", { href: `/resources/${quota.resource}` }, names.get(quota.resource) ?? W.resourceNumber(quota.resource)),
    h("div", {}, W.quota(quota.used, quota.limit, quota.kind, quota.period ? W.periods[quota.period] : ""), ". ",
      quota.frees_at ? W.moreFrom(momentText(Date.parse(quota.frees_at), shownZone())) : W.left(quota.left)))));
}

/** @param {() => void} dropFeeds */
function passwordForm(dropFeeds) {
  const form = accountForm(W.setPassword, [
    input("current_password", W.currentPassword, { type: "password", autocomplete: "current-password" }),
    input("new_password", W.newPassword, { type: "password", autocomplete: "new-password" }),
    input("re_new_password", W.samePassword, { type: "password", autocomplete: "new-password" }),
    checkbox("end_calendar_feeds", W.endFeedsToo),
    h("p", { class: "hint" }, W.endsTokens),
  ], async ({ current_password = "", new_password = "", re_new_password = "", end_calendar_feeds }) => {
    const ends = end_calendar_feeds === "on";
    const body = { current_password, new_password, re_new_password, end_calendar_feeds: ends };
    await call("post", "/api/auth/users/set_password/", { body });
    form.reset();
    if (ends) dropFeeds();
    await signInAgain(new_password);
  });
  return form;
}

/** The token is void with the old password; one stays signed in by the new one. @param {string} password */
async function signInAgain(password) {
  const session = current();
  if (!session) return;
  try {
    await signIn(session.username, password, isKept());
    say(W.passwordChanged);
  } catch {
    lose();
    go("/sign-in?next=/account");
    say(W.passwordSet);
  }
}

function deleteForm() {
  return accountForm(W.yesDelete, [
    input("current_password", W.currentPassword, { type: "password", autocomplete: "current-password" }),
  ], async ({ current_password = "" }) => {
    await call("delete", "/api/auth/users/me/", { body: { current_password } });
    goodbye(W.accountDeleted);
  }, { mood: "danger" });
}
