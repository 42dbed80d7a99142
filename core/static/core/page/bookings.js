/* The view of one's bookings: coming, past, cancelled; the dates of a series together. */

import { call } from "./api.js";
import { holds, spanOf } from "./changes.js";
import { append, fill, h } from "./dom.js";
import { spanText } from "./format.js";
import { askSignIn, go, heading } from "./router.js";
import { persistently, wordsOf } from "./say.js";
import { current } from "./session.js";
import { shownZone, watchZone } from "./shown.js";
import { W } from "./words.js";

const PAGE = 50;
// So many dates of a series are shown at once; the others unfold.
const SHOWN_DATES = 3;

/** @typedef {keyof typeof W.which} Which */
/** @typedef {{series: number | null, bookings: Api.Booking[]}} Group */

/** @param {Which} which @returns {Api.Query<"/api/bookings/", "get">} */
function queryOf(which) {
  if (which === "cancelled") return { status: ["cancelled", "rejected"], ordering: "-start_time" };
  if (which === "past") return { status: ["pending", "confirmed"], upcoming: "false", ordering: "-start_time" };
  return { status: ["pending", "confirmed"], upcoming: "true", ordering: "start_time" };
}

/** The bookings in their order, those of a series with its first one. @param {Api.Booking[]} bookings */
function grouped(bookings) {
  /** @type {Group[]} */
  const groups = [];
  /** @type {Map<number, Group>} */
  const known = new Map();
  for (const booking of bookings) {
    const series = booking.series ?? null;
    const group = series === null ? undefined : known.get(series);
    if (group) {
      group.bookings.push(booking);
      continue;
    }
    const made = { series, bookings: [booking] };
    groups.push(made);
    if (series !== null) known.set(series, made);
  }
  return groups;
}

/** The id of the user: staff read everybody's bookings, but here their own. */
async function ownId() {
  if (current()?.isStaff === false) return {};
  const { body } = await call("get", "/api/auth/users/me/");
  return { user: body.id };
}

/** @type {Page.View} */
export function bookingsView(container, { query }) {
  const asked = query.get("which") ?? "";
  const which = /** @type {Which} */ (asked in W.which ? asked : "coming");
  if (!current()) {
    queueMicrotask(askSignIn);
    fill(container, heading(W.myBookings));
    return undefined;
  }
  /** @type {Api.Booking[]} */
  const bookings = [];
  /** The words of the rules, by series. @type {Map<number, string>} */
  const rules = new Map();
  /** The series that were unfolded. @type {Set<number>} */
  const unfolded = new Set();
  /** @type {string | null} */
  let next = null;

  const result = h("div");
  const more = h("button", { type: "button", hidden: true, onclick: () => load.attempt() }, W.more);
  const count = h("p", { class: "count hint", role: "status" });

  /** @param {Api.Booking} booking @param {boolean} [isDate] Of a series, whose resource is told already. */
  const entry = (booking, isDate = false) => {
    const isTold = booking.status !== "confirmed";
    return h("li", {}, h("a", { class: `entry ${holds(booking) ? "" : "void"}`, href: `/bookings/${booking.id}` },
      h("span", { class: "when" }, spanText(spanOf(booking), shownZone())),
      isDate ? null : h("span", { class: "what" }, booking.resource_name),
      isTold ? h("span", { class: `status ${booking.status}` }, W.statuses[booking.status]) : null,
      booking.notes ? h("span", { class: "hint note-line" }, booking.notes) : null));
  };

  /** @param {Group} group */
  const groupEntry = ({ series, bookings: dates }) => {
    const [first] = dates;
    if (series === null || !first) return dates.map((each) => entry(each));
    const rest = dates.slice(SHOWN_DATES);
    const box = h("details", { open: unfolded.has(series) }, h("summary", {}, W.moreDates(rest.length)),
      h("ul", {}, rest.map((each) => entry(each, true))));
    box.addEventListener("toggle", () => (box.open ? unfolded.add(series) : unfolded.delete(series)));
    return [h("li", { class: "series" },
      h("p", {}, h("a", { href: `/series/${series}` }, first.resource_name), h("span", { class: "hint" }, ` ${rules.get(series) ?? W.repeated}`)),
      h("ul", {}, dates.slice(0, SHOWN_DATES).map((each) => entry(each, true))), rest.length ? box : null)];
  };

  const show = () => {
    fill(count, bookings.length ? W.bookingsShown(bookings.length, next !== null) : W.noBookings[which]);
    fill(result, bookings.length ? h("ul", { class: "bookings" }, grouped(bookings).flatMap(groupEntry)) : null,
      !bookings.length && which === "coming" ? h("p", {}, h("a", { class: "button", href: "/day" }, W.toToday)) : null);
    more.hidden = next === null;
  };

  /** Learns the words of the rules of series that are new here. @param {{user?: number}} owner */
  const learnRules = async (owner) => {
    const isKnown = bookings.every(({ series }) => !series || rules.has(series));
    if (isKnown) return;
    const { body } = await call("get", "/api/series/", { query: { ...owner, ...(which === "coming" ? { upcoming: "true" } : {}) } });
    for (const { id, rule_text: words } of body) rules.set(id, words);
    for (const { series } of bookings) if (series && !rules.has(series)) rules.set(series, W.repeated);
  };

  const load = persistently(async () => {
    const owner = await ownId();
    const { body, next: following } = await call("get", "/api/bookings/", {
      query: { ...queryOf(which), ...owner, include: ["series"], limit: PAGE }, page: next,
    });
    bookings.push(...body);
    next = following;
    await learnRules(owner);
    show();
  }, (error) => append(result, h("p", { class: "told bad", role: "alert" }, wordsOf(error))));

  const choices = /** @type {Which[]} */ (Object.keys(W.which)).map((each) => h("button", {
    type: "button", "aria-pressed": String(each === which), onclick: () => go(each === "coming" ? "/bookings" : `/bookings?which=${each}`),
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
