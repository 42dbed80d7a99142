/* The view of a series: its rule and its dates; cancels many of them. */

import { call } from "./api.js";
import { fileButton, holds } from "./changes.js";
import { fill, h } from "./dom.js";
import { timeText } from "./format.js";
import { dateText, showVerdicts } from "./offers.js";
import { ask, reasonField } from "./questions.js";
import { heading, loadInto, needsSignIn } from "./router.js";
import { say } from "./say.js";
import { current } from "./session.js";
import { watchZone } from "./shown.js";
import { W } from "./words.js";

/** A time of day, of a start or end without an offset. @param {string} local */
const clockText = (local) => timeText(Date.parse(`${local}Z`), "UTC");

/** @type {Page.View} */
export function seriesView(container, { params: [number] }) {
  const id = Number(number);
  if (needsSignIn(container, W.series)) return undefined;
  /** @type {Api.Series | null} */
  let series = null;
  /** @type {string | null} */
  let etag = null;
  /** @type {Api.SeriesDate[]} */
  let dates = [];
  /** The chosen dates, by their bookings. @type {Set<number>} */
  const chosen = new Set();
  const section = h("section", { class: "narrow card" });
  const acts = h("div", { class: "acts" });

  /** Whether it may be cancelled. @param {Api.SeriesDate} date */
  const isComing = (date) => holds(date) && Date.parse(date.end_time ?? "") > Date.now();

  /** @param {Api.SeriesDate} date */
  const entry = (date) => {
    const when = dateText(date);
    const told = date.id === null ? [W.notBooked, W.whyNot[date.code]].filter(Boolean).join(": ") : date.status && W.statuses[date.status];
    const words = [h("span", { class: "when" }, when),
      date.status === "confirmed" ? null : h("span", { class: `status ${date.status ?? "cancelled"}` }, told)];
    const name = `entry ${holds(date) ? "" : "void"}`;
    const box = h("input", { type: "checkbox", "aria-label": W.choose(when), onchange() {
      chosen[box.checked ? "add" : "delete"](Number(date.id));
      dress();
    } });
    box.checked = chosen.has(Number(date.id));
    return h("li", { class: "choosable" }, isComing(date) ? box : h("span", { class: "no-box" }),
      date.id === null ? h("div", { class: name }, words) : h("a", { class: name, href: `/bookings/${date.id}` }, words));
  };

  const dress = () => {
    const coming = dates.filter(isComing).map((each) => Number(each.id));
    const ids = coming.filter((each) => chosen.has(each));
    fill(acts,
      ids.length > 0 && h("button", { type: "button", class: "danger", onclick: () => askCancel(ids) }, W.cancelChosen(ids.length)),
      coming.length > 0 && [
        h("button", { type: "button", class: "danger", onclick: () => askCancel(coming) }, W.cancelComing), fileButton("series", id),
      ],
      h("a", { class: "button", href: "/account#feeds" }, W.subscribe));
  };

  const show = () => {
    if (!series) return;
    const { resource, resource_name: name, rule_text: rule, start_time: start, end_time: end, time_zone: zone, username, notes, previous } = series;
    fill(section, heading(W.seriesOf(name)),
      h("dl", { class: "facts" },
        h("dt", {}, W.resource), h("dd", {}, h("a", { href: `/resources/${resource}` }, name)),
        h("dt", {}, W.repeats), h("dd", {}, rule),
        h("dt", {}, W.timeOfDay), h("dd", {}, `${clockText(start)}–${clockText(end)}, ${zone}`),
        username !== current()?.username && [h("dt", {}, W.bookedBy), h("dd", {}, username)],
        notes ? [h("dt", {}, W.notes), h("dd", { class: "text" }, notes)] : null,
        previous ? [h("dt", {}, W.previous), h("dd", {}, h("a", { href: `/series/${previous}` }, W.previousSeries))] : null),
      acts,
      h("h2", {}, W.itsDates(dates.filter(holds).length)), h("p", { class: "hint" }, W.moveDatesHint),
      h("ul", { class: "bookings" }, dates.map(entry)));
    dress();
  };

  /** @param {number[]} ids Of bookings. */
  const askCancel = (ids) => {
    const reason = reasonField(`series ${id}`);
    ask(container, {
      title: W.cancelDatesSure(ids.length),
      content: [h("p", {}, W.cancelDatesNote), reason.element],
      yes: W.yesCancelDates,
      no: W.keepThem,
      async act() {
        // Dates that are cancelled already are passed over: the call may be repeated.
        const body = { ids, reason: reason.value() };
        await call("post", "/api/series/{id}/cancel/", { params: { id }, body, ...(etag ? { ifMatch: etag } : {}) });
        chosen.clear();
        reason.drop();
        await load.attempt();
        say(W.datesCancelled(ids.length));
        queueMicrotask(() => /** @type {HTMLElement | null} */ (section.querySelector("h1"))?.focus());
      },
      refused(error, more) {
        showVerdicts(more, error.body.dates ?? []);
        if (error.status !== 412) return undefined;
        load.attempt();
        return W.seriesChanged;
      },
    });
  };

  const load = loadInto(container, section, W.series, async (signal) => {
    const about = { params: { id }, signal };
    const [answer, listed] = await Promise.all([
      call("get", "/api/series/{id}/", about), call("get", "/api/series/{id}/dates/", about),
    ]);
    [series, etag, dates] = [answer.body, answer.etag, listed.body];
    show();
  }, W.noSeries);
  const unwatch = watchZone(show);
  return () => {
    load.stop();
    unwatch();
  };
}
