/* Questions above a view, with one button that acts; what may be done to a booking after one: cancel it, and take that back. */

import { Away, call, Refused } from "./api.js";
import { holds } from "./changes.js";
import { field, fill, h, newId } from "./dom.js";
import { scopeField, showSuggestions, showVerdicts } from "./offers.js";
import { wordsOf } from "./say.js";
import { current } from "./session.js";
import { W } from "./words.js";

/** What was typed as a reason, by its user and what is to be cancelled: a sign-in meanwhile loses nothing. @type {Map<string, string>} */
const reasons = new Map();

/** Why something is cancelled. @param {string} what */
export function reasonField(what) {
  const key = `${current()?.username} ${what}`;
  const control = h("textarea", { name: "reason", rows: "2", maxlength: "500", value: reasons.get(key) ?? "" });
  control.addEventListener("input", () => reasons.set(key, control.value));
  return { element: field(W.reason, control, { hint: W.reasonHint }), value: () => control.value, drop: () => reasons.delete(key) };
}

/**
 * @typedef {object} About
 * @property {HTMLElement} container The view.
 * @property {Api.Booking} booking
 * @property {string | null} etag
 * @property {(error: Refused) => string} onStale Takes what a 412 shows; returns what somebody else changed.
 * @property {(words: string) => void} onDone
 */

/** @param {About} about */
export function askCancel(about) {
  const reason = reasonField(`booking ${about.booking.id}`);
  const scope = about.booking.series ? scopeField() : null;
  askToChange({ ...about, onDone(words) {
    reason.drop();
    about.onDone(words);
  } }, {
    title: W.cancelSure,
    content: [h("p", {}, scope ? W.cancelDatesNote : W.cancelNote), scope?.element, reason.element],
    yes: W.yesCancel,
    no: W.keepIt,
    query: () => (scope ? { scope: scope.value() } : {}),
    body: async () => ({ status: "cancelled", reason: reason.value() }),
    isDone: (booking) => !holds(booking),
    words: W.cancelled,
  });
}

/** @param {About} about */
export function askRevive(about) {
  const { booking } = about;
  const scope = booking.series ? scopeField(W.reviveHint) : null;
  const isAlone = () => !scope || scope.value() === "this";
  askToChange(about, {
    title: W.reviveSure,
    content: [h("p", {}, W.reviveNote), scope?.element],
    yes: W.yesRevive,
    no: W.leaveCancelled,
    className: "main",
    query: () => (scope && !isAlone() ? { scope: scope.value(), reset_exceptions: "true" } : {}),
    async body(resource) {
      // The API gives the dates of a series their first status.
      if (!isAlone()) return {};
      const { body } = await call("get", "/api/resources/{id}/", { params: { id: resource } });
      return { status: body.requires_approval ? "pending" : "confirmed" };
    },
    isDone: holds,
    words: W.revived,
  });
}

/**
 * @param {About} about
 * @param {object} how
 * @param {string} how.title Up to `className` as in `ask`.
 * @param {(Node | undefined)[]} how.content
 * @param {string} how.yes
 * @param {string} how.no
 * @param {string} [how.className]
 * @param {() => Api.Query<"/api/bookings/{id}/", "patch">} how.query
 * @param {(resource: number) => Promise<{status?: Api.Booking["status"], reason?: string}>} how.body
 * @param {(booking: Api.Booking) => boolean} how.isDone Whether a booking is as wanted: the answer of before was lost.
 * @param {string} how.words Once it is done.
 */
function askToChange({ container, booking, etag, onStale, onDone }, { query, body, isDone, words, ...shown }) {
  /** Where a suggestion puts it. @type {{resource?: number, start_time?: string, end_time?: string}} */
  let place = {};

  const press = ask(container, {
    ...shown,
    async act(isAgain) {
      try {
        await call("patch", "/api/bookings/{id}/", {
          params: { id: booking.id }, query: query(), body: { ...(await body(place.resource ?? booking.resource)), ...place },
          ...(etag ? { ifMatch: etag } : {}),
        });
      } catch (error) {
        const isStale = error instanceof Refused && error.status === 412;
        if (!(isAgain && isStale && isDone(error.body.current))) throw error;
      }
      onDone(words);
    },
    refused(error, more) {
      place = {};
      if (error.status === 412) {
        etag = error.etag;
        return `${W.changedBefore} ${onStale(error)}`;
      }
      showVerdicts(more, error.body.dates ?? []);
      if (error.body.suggestions) {
        showSuggestions(more, error.body.suggestions, {
          books: true,
          take({ resource, start_time, end_time }) {
            place = { resource, start_time, end_time };
            press();
          },
        });
      }
      return undefined;
    },
  });
}

/**
 * @param {HTMLElement} container The view.
 * @param {object} about
 * @param {string} about.title
 * @param {(Node | undefined)[]} about.content
 * @param {string} about.yes What the button says.
 * @param {string} about.no
 * @param {string} [about.className] Of the button.
 * @param {(isAgain: boolean) => Promise<void>} about.act `isAgain`: the answer of before was lost, so it may be done.
 * @param {(error: Refused, place: HTMLElement) => string | void} [about.refused] What a refusal says, if not the usual
 *   words; it may put more into the place.
 */
export function ask(container, { title, content, yes, no, className = "danger", act, refused }) {
  const head = h("h2", { id: newId() }, title);
  const told = h("p", { class: "told bad", role: "alert" });
  const more = h("div", { class: "instead" });
  const button = h("button", { type: "button", class: className, onclick: () => press() }, yes);
  const keep = h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, no);
  const dialog = h("dialog", { "aria-labelledby": head.id }, head, ...content, told, more, h("div", { class: "acts" }, button, keep));
  /** @type {number | undefined} */
  let retry;
  let isAgain = false;

  const press = async () => {
    if (button.disabled || !dialog.isConnected) return;
    clearTimeout(retry);
    button.disabled = true;
    fill(more);
    try {
      await act(isAgain);
      dialog.close();
    } catch (error) {
      isAgain = error instanceof Away;
      const words = (error instanceof Refused && refused?.(error, more)) || wordsOf(error);
      fill(told, words, isAgain && ` ${W.maybeDone}`);
      if (error instanceof Away && dialog.isConnected) retry = setTimeout(press, error.wait * 1000);
    }
    button.disabled = false;
  };

  dialog.addEventListener("close", () => {
    clearTimeout(retry);
    dialog.remove();
  });
  container.append(dialog);
  dialog.showModal();
  return press;
}
