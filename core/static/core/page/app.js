/* The booking page: its frame, and which view belongs to which address. */

import { accountView } from "./account.js";
import { Refused } from "./api.js";
import { bookingView } from "./booking.js";
import { bookingsView } from "./bookings.js";
import { dayView } from "./day.js";
import { fill, h } from "./dom.js";
import { askSignIn, start } from "./router.js";
import { resourceView } from "./resource.js";
import { line, persistently, wordsOf } from "./say.js";
import { seriesView } from "./series.js";
import { current, lose, watch } from "./session.js";
import { findZone } from "./shown.js";
import { forgottenView, isSigningOut, registerView, resetView, signInView, signOut } from "./sign_in.js";
import { W } from "./words.js";
import { zonePicker } from "./zone_picker.js";

/** Each address and its view. */
/** @type {[RegExp, Page.View][]} */
const ROUTES = [
  [/^\/$/, dayView],
  [/^\/day(?:\/([0-9]{4}-[0-9]{2}-[0-9]{2}))?\/?$/, dayView],
  [/^\/resources\/([0-9]{1,19})\/?$/, resourceView],
  [/^\/bookings\/([0-9]{1,19})\/?$/, bookingView],
  [/^\/account\/?$/, accountView],
  [/^\/bookings\/?$/, bookingsView],
  [/^\/series\/([0-9]{1,19})\/?$/, seriesView],
  [/^\/sign-in\/?$/, signInView],
  [/^\/register\/?$/, registerView],
  [/^\/forgotten-password\/?$/, forgottenView],
  [/^\/password-reset\/([^/]+)\/([^/]+)\/?$/, resetView],
];

/** @param {HTMLElement} links */
function fillLinks(links) {
  const session = current();
  fill(links,
    h("a", { href: "/day" }, W.theDay),
    session ? h("a", { href: "/bookings" }, W.myBookings) : null,
    session
      ? [session.isStaff && h("a", { href: "/admin/" }, W.desk),
        h("a", { href: "/account", class: "who", title: W.signedInAs(session.username), "aria-label": W.accountOf(session.username) },
          session.username),
        h("button", { type: "button", class: "quiet", onclick: signOut }, W.signOut)]
      : [h("a", { href: "/register" }, W.register),
        h("a", { href: "/sign-in", class: "button", onclick: toSignIn }, W.signIn)]);
}

/** @param {MouseEvent} event */
function toSignIn(event) {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  askSignIn();
}

function run() {
  const links = h("nav", { "aria-label": W.name });
  const main = h("main", { id: "main", tabindex: "-1" });
  const app = /** @type {HTMLElement} */ (document.getElementById("app"));
  const head = h("header", {}, h("a", { class: "brand", href: "/" }, W.name), zonePicker(), links);
  fill(app, h("a", { class: "skip", href: "#main" }, W.skip), head, line, main);
  fillLinks(links);

  let wasSignedIn = current() !== null;
  watch((session) => {
    fillLinks(links);
    const isLost = wasSignedIn && session === null && !isSigningOut();
    wasSignedIn = session !== null;
    if (isLost && isRunning) askSignIn({ replace: true });
  });

  let isRunning = false;
  fill(main, h("p", { class: "loading" }, W.loading));
  const loading = persistently(async () => {
    try {
      await findZone();
    } catch (error) {
      if (!(error instanceof Refused && error.status === 401)) throw error;
      lose();
      await findZone();
      askSignIn({ replace: true });
    }
    isRunning = true;
    start(main, ROUTES);
  }, (error) => fill(main, h("p", { class: "bad" }, wordsOf(error))));
  loading.attempt();
}

run();
