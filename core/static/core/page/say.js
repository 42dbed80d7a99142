/* What the page says beside what it shows: a line for everybody, read aloud by screen readers. */

import { Away, Refused } from "./api.js";
import { h, fill } from "./dom.js";
import { timeText } from "./format.js";
import { shownZone } from "./shown.js";
import { W } from "./words.js";
import { MINUTE } from "./zones.js";

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
    const wait = Math.max(error.wait, 1);
    // The first full minute that is not too early.
    return W.tooMany(wait, timeText(Math.ceil((Date.now() + wait * 1000) / MINUTE) * MINUTE, shownZone()));
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
 * @param {(signal: AbortSignal) => Promise<void>} load The signal ends its calls: it is left, or another attempt begins.
 * @param {(error: unknown) => void} refused
 */
export function persistently(load, refused) {
  /** Set while it waits. @type {number | undefined} */
  let timer;
  /** Set while it loads. @type {AbortController | undefined} */
  let asking;
  let isTold = false;
  let isLeft = false;
  const end = () => {
    asking?.abort();
    clearTimeout(timer);
    asking = timer = undefined;
  };
  const attempt = async () => {
    end();
    if (isLeft) return;
    const mine = asking = new AbortController();
    try {
      await load(mine.signal);
      if (mine.signal.aborted) return;
      asking = undefined;
      if (isTold) say("");
      isTold = false;
    } catch (error) {
      if (mine.signal.aborted) return;
      asking = undefined;
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
  /** Loads again, unless it does so already, or has to wait. */
  const refresh = () => {
    if (asking === undefined && timer === undefined) attempt();
  };
  const stop = () => {
    isLeft = true;
    end();
  };
  return { attempt, refresh, stop };
}
