/* Which view is shown: the address decides, by the history of the browser.

A view is a function of a container and what its address holds. It fills the container, and returns how to leave it. */

import { Refused } from "./api.js";
import { h, fill } from "./dom.js";
import { persistently, say, wordsOf } from "./say.js";
import { current } from "./session.js";
import { W } from "./words.js";

/** @type {[RegExp, Page.View][]} */
let routes = [];
/** @type {HTMLElement | null} */
let room = null;
/** @type {void | (() => void)} */
let leaveView;

/**
 * Shows the view of the present address, and of each address from now on.
 *
 * @param {HTMLElement} container
 * @param {[RegExp, Page.View][]} table Patterns of paths, with their views.
 */
export function start(container, table) {
  routes = table;
  room = container;
  addEventListener("popstate", () => show());
  document.addEventListener("click", follow);
  show({ isFirst: true });
}

/**
 * @param {string} address A path of this page, with its query.
 * @param {{replace?: boolean}} [how]
 */
export function go(address, { replace = false } = {}) {
  const url = new URL(address, location.origin);
  history[replace ? "replaceState" : "pushState"](null, "", url.pathname + url.search + url.hash);
  show();
}

/**
 * Changes the address of the view that is shown, and nothing else.
 *
 * @param {string} address
 */
export function rename(address) {
  history.replaceState(null, "", address);
}

/** The present address. */
function here() {
  return location.pathname + location.search + location.hash;
}

/**
 * The address to return to after the sign-in; never one of another host.
 *
 * @param {string | null} wanted
 */
export function safeNext(wanted) {
  if (!wanted) return "/";
  try {
    const url = new URL(wanted, location.origin);
    const isOurs = url.origin === location.origin && routes.some(([pattern]) => pattern.test(url.pathname));
    return isOurs && !url.pathname.startsWith("/sign-in") ? url.pathname + url.search + url.hash : "/";
  } catch {
    return "/";
  }
}

/**
 * Leads to the sign-in, and from there back to here.
 *
 * @param {{replace?: boolean}} [how] `replace` where "back" would lead to the sign-in again.
 */
export function askSignIn(how) {
  if (/^\/(sign-in|register|forgotten-password|password-reset)\b/.test(location.pathname)) return;
  go(`/sign-in?next=${encodeURIComponent(here())}`, how);
}

/**
 * Whether the view is for those who are signed in alone, and nobody is: leads to the sign-in, and from there back.
 *
 * @param {HTMLElement} container
 * @param {string} title
 */
export function needsSignIn(container, title) {
  if (current()) return false;
  fill(container, heading(title));
  queueMicrotask(() => askSignIn({ replace: true }));
  return true;
}

/**
 * The title of the view, as its heading and as that of the window.
 *
 * @param {string} words
 * @param {Record<string, any>} [attributes]
 */
export function heading(words, attributes = {}) {
  document.title = `${words} – ${W.name}`;
  return h("h1", { tabindex: "-1", ...attributes }, words);
}

function show({ isFirst = false } = {}) {
  if (!room) return;
  if (leaveView) leaveView();
  leaveView = undefined;
  room.replaceChildren();
  if (!isFirst) say("");
  const path = location.pathname.replace(/(.)\/$/, "$1");
  for (const [pattern, view] of routes) {
    const match = pattern.exec(path);
    if (match) {
      leaveView = view(room, { params: match.slice(1), query: new URLSearchParams(location.search) });
      break;
    }
  }
  if (!room.hasChildNodes()) nowhere(room, W.nowhere);
  if (isFirst) return;
  scrollTo(0, 0);
  /** @type {HTMLElement | null} */ (room.querySelector("[autofocus], h1"))?.focus();
}

/**
 * Says that there is nothing here, with a way back.
 *
 * @param {HTMLElement} container
 * @param {string} words
 */
export function nowhere(container, words) {
  fill(container, h("section", { class: "narrow" },
    heading(W.notFound), h("p", {}, words), h("p", {}, h("a", { href: "/day", class: "button" }, W.toToday))));
}

/**
 * Loads what a view is about, and says so meanwhile; says what went wrong instead, but for a void token, which leads away.
 *
 * @param {HTMLElement} container
 * @param {HTMLElement} section What the view fills.
 * @param {string} title Until the view is there.
 * @param {(signal: AbortSignal) => Promise<void>} load
 * @param {string} [missing] What is said where there is nothing, or nothing for this user.
 */
export function loadInto(container, section, title, load, missing) {
  const loading = persistently(load, (error) => {
    const status = error instanceof Refused ? error.status : 0;
    if (status === 401) return;
    if (missing && [403, 404].includes(status)) nowhere(container, missing);
    else fill(section, heading(title), h("p", { class: "told bad" }, wordsOf(error)));
  });
  fill(section, heading(title), h("p", { class: "loading" }, W.loading));
  fill(container, section);
  loading.attempt();
  return loading;
}

/** @param {MouseEvent} event */
function follow(event) {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = /** @type {Element} */ (event.target).closest?.("a[href]");
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute("download")) return;
  if (link.origin !== location.origin || !routes.some(([pattern]) => pattern.test(link.pathname))) return;
  event.preventDefault();
  // A place in this view; the browser would tell a step of the history, and the view would begin anew.
  if (link.hash && link.pathname === location.pathname) toPlace(link.hash);
  else go(link.pathname + link.search + link.hash);
}

/** Leads to a place in the view. @param {string} hash */
export function toPlace(hash) {
  const place = hash ? document.getElementById(hash.slice(1)) : null;
  place?.scrollIntoView();
  place?.focus({ preventScroll: true });
}
