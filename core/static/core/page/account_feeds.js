/* Calendar feeds: made, shown once, copied, subscribed to, and ended. */

import { accountForm, checkbox } from "./account_form.js";
import { call, Refused } from "./api.js";
import { field, fill, h } from "./dom.js";
import { longDateText } from "./format.js";
import { ask } from "./questions.js";
import { say, wordsOf } from "./say.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";

/**
 * @param {HTMLElement} container The view.
 * @param {Api.Feed[]} feeds
 * @param {boolean} isStaff
 * @param {() => Promise<Map<number, string>>} findNames The resources, which are asked for when somebody wants one.
 */
export function feedsCard(container, feeds, isStaff, findNames) {
  let known = feeds;
  const list = h("ul", { class: "plain" });
  const made = h("div", {});

  const show = () => fill(list, known.length === 0 ? h("li", {}, W.noFeeds) : known.map((feed) => {
    const what = feed.resource_name ?? W.ownBookings;
    const day = longDateText(Date.parse(feed.created_at), shownZone());
    const used = feed.last_used_on ? W.lastUsed(longDateText(Date.parse(`${feed.last_used_on}T00:00Z`), "UTC")) : W.neverUsed;
    return h("li", { class: "row" },
      h("div", {}, h("strong", {}, what), feed.names ? ` (${W.feedNames.toLowerCase()})` : "",
        h("div", { class: "hint" }, `${W.madeOn(day)} ${used}`)),
      h("button", { type: "button", class: "danger", "aria-label": W.endFeedOf(what), onclick: () => end(feed) }, W.endFeed));
  }));

  /** @param {Api.Feed} feed */
  const end = (feed) => ask(container, { title: W.endFeedSure, content: [h("p", {}, W.endFeedNote)], yes: W.yesEndFeed, no: W.keepIt, async act() {
    try {
      await call("delete", "/api/calendar-feeds/{id}/", { params: { id: feed.id } });
    } catch (error) {
      // Ended before, such as by a press whose answer was lost.
      if (!(error instanceof Refused && error.status === 404)) throw error;
    }
    known = known.filter((each) => each.id !== feed.id);
    fill(made);
    show();
    say(W.feedEnded);
    title.focus();
  } });

  // --- A new one ------------------------------------------------------------------------------------------------------

  const chosen = h("select", { name: "resource" }, h("option", { value: "" }, W.ownBookings));
  const names = checkbox("names", W.feedNames, { checked: true });
  names.hidden = true;
  chosen.addEventListener("change", () => {
    names.hidden = !isStaff || chosen.value === "";
  });
  const others = h("button", { type: "button", onclick: async () => {
    if (others.disabled) return;
    others.disabled = true;
    try {
      const found = await findNames();
      chosen.append(...[...found].map(([id, name]) => h("option", { value: id }, name)));
      others.remove();
      chosen.focus();
    } catch (error) {
      others.disabled = false;
      say(wordsOf(error), { isBad: true });
    }
  } }, W.feedOfResource);
  const form = accountForm(W.newFeed, [field(W.feedOf, chosen), others, names], async ({ resource = "", names: tells }) => {
    const of = resource === "" ? {} : { resource: Number(resource), ...(isStaff ? { names: tells === "on" } : {}) };
    const { body } = await call("post", "/api/calendar-feeds/", { body: of });
    known = [...known, body];
    show();
    fill(made, addressOf(body.url));
    say(W.feedMade);
    made.querySelector("input")?.select();
  }, { name: "feed" });

  const title = h("h2", { id: "feeds", tabindex: "-1" }, W.feeds);
  show();
  return {
    element: h("div", { class: "card" }, title, h("p", {}, W.feedsText), list, made, form),
    /** All of them are ended. */
    drop() {
      known = [];
      fill(made);
      show();
    },
  };
}

/** The secret address, shown once. @param {string} url */
function addressOf(url) {
  const address = h("input", { readonly: true, value: url, spellcheck: "false" });
  const copy = h("button", { type: "button", onclick: async () => {
    address.select();
    try {
      await navigator.clipboard.writeText(url);
      say(W.copied);
    } catch {
      // Without HTTPS a browser has no clipboard.
      say(W.notCopied, { isBad: true });
    }
  } }, W.copy);
  const { host, pathname } = new URL(url);
  return h("div", { class: "note" }, field(W.feedAddress, address, { hint: W.feedOnce }),
    h("div", { class: "acts" }, copy, h("a", { class: "button", href: `webcal://${host}${pathname}` }, W.subscribeTo)));
}
