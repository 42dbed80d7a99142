/* The view of one's bookings: coming, past, cancelled; the dates of a series together. */

import { call } from "./api.js";
import { holds } from "./changes.js";
import { append, fill, h } from "./dom.js";
import { dateText } from "./offers.js";
import { go, heading, needsSignIn } from "./router.js";
import { persistently, wordsOf } from "./say.js";
import { current } from "./session.js";
import { watchZone } from "./shown.js";
import { W } from "./words.js";

const PAGE = 50;
// So many dates of a series are shown at once; the others unfold.
const SHOWN_DATES = 3;

/** @typedef {keyof typeof W.which} Which */

/** @type {Record<Which, Api.Query<"/api/bookings/", "get">>} */
const QUERIES = {
  coming: { status: ["pending", "confirmed"], upcoming: "true", ordering: "start_time" },
  past: { status: ["pending", "confirmed"], upcoming: "false", ordering: "-start_time" },
  cancelled: { status: ["cancelled", "rejected"], ordering: "-start_time" },
};

/** The user, for staff, who would read everybody's bookings. @param {AbortSignal} signal */
async function owner(signal) {
  return current()?.isStaff === false ? {} : { user: (await call("get", "/api/auth/users/me/", { signal })).body.id };
}

/** @type {Page.View} */
export function bookingsView(container, { query }) {
  const asked = query.get("which") ?? "";
  const which = /** @type {Which} */ (Object.hasOwn(QUERIES, asked) ? asked : "coming");
  if (needsSignIn(container, W.myBookings)) return undefined;
  /** @type {Api.Booking[]} */
  const bookings = [];
  /** The words of the rules, by series. @type {Map<number, string>} */
  const rules = new Map();
  /** The series that are unfolded. @type {Set<number>} */
  const unfolded = new Set();
  /** @type {string | null} */
  let next = null;

  const result = h("div");
  const more = h("button", { type: "button", hidden: true, onclick: () => load.attempt() }, W.more);
  const count = h("p", { class: "count hint", role: "status" });

  /** @param {Api.Booking} booking */
  const entry = (booking) => h("li", {}, h("a", { class: `entry ${holds(booking) ? "" : "void"}`, href: `/bookings/${booking.id}` },
    h("span", { class: "when" }, dateText(booking)),
    booking.series ? null : h("strong", {}, booking.resource_name),
    booking.status === "confirmed" ? null : h("span", { class: `status ${booking.status}` }, W.statuses[booking.status]),
    booking.notes ? h("span", { class: "hint note-line" }, booking.notes) : null));

  /** @param {number} series @param {Api.Booking[]} dates */
  const seriesEntry = (series, dates) => {
    const rest = dates.slice(SHOWN_DATES);
    const box = h("details", { open: unfolded.has(series), ontoggle: () => unfolded[box.open ? "add" : "delete"](series) },
      h("summary", {}, W.moreDates(rest.length)), h("ul", {}, rest.map(entry)));
    return h("li", { class: "series" },
      h("p", {}, h("a", { href: `/series/${series}` }, dates[0]?.resource_name), " ", h("span", { class: "hint" }, rules.get(series))),
      h("ul", {}, dates.slice(0, SHOWN_DATES).map(entry)), rest.length ? box : null);
  };

  const show = () => {
    /** The dates of each series stand with its first one. @type {Map<string, Api.Booking[]>} */
    const groups = new Map();
    for (const booking of bookings) {
      const key = booking.series ? `series ${booking.series}` : `${booking.id}`;
      groups.set(key, [...groups.get(key) ?? [], booking]);
    }
    fill(count, bookings.length ? W.bookingsShown(bookings.length, next !== null) : W.noBookings[which]);
    fill(result, h("ul", { class: "bookings" }, [...groups.values()].flatMap((dates) =>
      dates[0]?.series ? seriesEntry(dates[0].series, dates) : dates.map(entry))));
    more.hidden = next === null;
  };

  const load = persistently(async (signal) => {
    const user = await owner(signal);
    const answer = await call("get", "/api/bookings/", {
      query: { ...QUERIES[which], ...user, include: ["series"], limit: PAGE }, page: next, signal,
    });
    const unknown = answer.body.filter(({ series }) => series && !rules.has(series));
    if (unknown.length) {
      const query = { ...user, ...(which === "coming" ? { upcoming: /** @type {const} */ ("true") } : {}) };
      const { body } = await call("get", "/api/series/", { query, signal });
      for (const { id, rule_text: words } of body) rules.set(id, words);
    }
    bookings.push(...answer.body);
    next = answer.next;
    show();
  }, (error) => append(result, h("p", { class: "told bad", role: "alert" }, wordsOf(error))));

  const choices = /** @type {Which[]} */ (Object.keys(QUERIES)).map((each) => h("button", {
    type: "button", "aria-pressed": String(each === which), onclick: () => go(`/bookings?which=${each}`),
  }, W.which[each]));
  fill(container, h("section", { class: "narrow" },
    heading(W.myBookings),
    h("div", { class: "bar" }, h("div", { class: "choice", role: "group", "aria-label": W.myBookings }, choices),
      h("a", { class: "button subscribe", href: "/account#feeds" }, W.subscribe)),
    count, result, more));
  fill(result, h("p", { class: "loading" }, W.loading));
  load.attempt();
  const unwatch = watchZone(() => bookings.length && show());
  return () => {
    load.stop();
    unwatch();
  };
}
