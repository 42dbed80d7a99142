/* What the page says beside what it shows: a line for everybody, read aloud by screen readers. */

import { Away, Refused } from "./api.js";
import { h, fill } from "./dom.js";
import { timeText } from "./format.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";

export const line = h("p", { class: "said", role: "status", "aria-live": "polite" });

/**
 * @param {string} words Empty: nothing any more.
 * @param {{isBad?: boolean}} [how]
 */
export function say(words, { isBad = false } = {}) {
  line.classList.toggle("bad", isBad);
  fill(line, words);
}

/**
 * What went wrong, in a sentence.
 *
 * @param {unknown} error
 */
export function wordsOf(error) {
  if (error instanceof Away) return (error.isServer ? W.busyServer : W.noNetwork)(error.wait);
  if (error instanceof Refused && error.status === 429) {
    return W.tooMany(timeText(Date.now() + error.wait * 1000, shownZone()));
  }
  if (error instanceof Refused) return error.message;
  throw error;
}

/**
 * In how many seconds to ask again; null where that would change nothing.
 *
 * @param {unknown} error
 */
export function waitOf(error) {
  if (error instanceof Away) return error.wait;
  return error instanceof Refused && error.status === 429 ? Math.max(error.wait, 1) : null;
}

/**
 * Loads until it is there or refused for good; says in the line of the page why it waits.
 *
 * @param {() => Promise<void>} load
 * @param {(error: unknown) => void} refused
 */
export function persistently(load, refused) {
  /** @type {number | undefined} */
  let timer;
  let isLeft = false;
  let isTold = false;
  const attempt = async () => {
    clearTimeout(timer);
    try {
      await load();
      if (isTold && !isLeft) say("");
      isTold = false;
    } catch (error) {
      if (isLeft || (error instanceof DOMException && error.name === "AbortError")) return;
      const wait = waitOf(error);
      if (wait === null) {
        refused(error);
        return;
      }
      isTold = true;
      say(wordsOf(error), { isBad: true });
      timer = setTimeout(attempt, wait * 1000);
    }
  };
  const stop = () => {
    isLeft = true;
    clearTimeout(timer);
  };
  return { attempt, stop };
}
