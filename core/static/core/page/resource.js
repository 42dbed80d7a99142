/* The view of one resource: what it is, and the way to its free times. */

import { call } from "./api.js";
import { fill, h } from "./dom.js";
import { openForm } from "./form_dialog.js";
import { draftOf } from "./drafts.js";
import { momentText } from "./format.js";
import { heading, loadInto } from "./router.js";
import { shownZone, watchZone } from "./shown.js";
import { wantedAt } from "./spans.js";
import { W } from "./words.js";
import { dateAt, HOUR } from "./zones.js";

const AHEAD = 7 * 24 * HOUR;
const LONGEST_SEARCH = 200;

/** @type {Page.View} */
export function resourceView(container, { params: [number] }) {
  const id = Number(number);
  const section = h("section", { class: "narrow card" });
  /** @type {() => void} */
  let leaveForm = () => undefined;
  /** @type {Api.Resource | null} */
  let resource = null;

  /** @param {Page.Wanted | null} wanted */
  const open = (wanted) => {
    if (!resource) return;
    leaveForm();
    leaveForm = openForm(container, [{ id, name: resource.name, waits: resource.requires_approval }], wanted);
  };

  const show = () => {
    if (!resource) return;
    const next = resource.next_free ? Date.parse(resource.next_free) : null;
    const date = dateAt(next ?? Date.now(), shownZone());
    const query = `search=${encodeURIComponent(resource.name.slice(0, LONGEST_SEARCH))}`;
    fill(section,
      heading(resource.name),
      resource.description ? h("p", { class: "text" }, resource.description) : null,
      h("dl", { class: "facts" },
        h("dt", {}, W.capacity), h("dd", {}, W.people_or_items(resource.capacity ?? 1)),
        h("dt", {}, W.approval), h("dd", {}, resource.requires_approval ? W.needsApproval : W.needsNone),
        next === null ? null : [h("dt", {}, W.kinds.free), h("dd", {}, W.freeFrom(momentText(next, shownZone())))]),
      resource.is_available === false ? h("p", { class: "note" }, W.outOfService) : null,
      h("div", { class: "acts" },
        next === null ? null : h("button", { type: "button", class: "main", onclick: () =>
          open({ resource: id, ...wantedAt({ start: next, end: next + AHEAD }, null, shownZone(), Date.now()) }) }, W.book),
        h("a", { class: "button", href: `/day/${date}?${query}` }, W.seeDay),
        h("a", { class: "button", href: `/day/${date}?${query}&days=7` }, W.seeWeek)));
  };

  const load = loadInto(container, section, W.resource, async (signal) => {
    const answer = await call("get", "/api/resources/{id}/", { params: { id }, query: { include: ["next_free"] }, signal });
    resource = answer.body;
    show();
    if (draftOf(null)) open(null);
  }, W.noResource);
  const unwatch = watchZone(show);
  return () => {
    leaveForm();
    load.stop();
    unwatch();
  };
}
