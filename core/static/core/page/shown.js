/* The time zone in which times are shown and typed. */

import { call } from "./api.js";
import { current } from "./session.js";
import { isZone } from "./zones.js";

const KEY = "booking.zone";
let zone = "UTC";
/** @type {Set<() => void>} */
const watchers = new Set();

export function shownZone() {
  return zone;
}

/** Finds it: the one that was chosen in this tab, one's own, or that of the house. */
export async function findZone() {
  const chosen = sessionStorage.getItem(KEY);
  if (chosen && isZone(chosen)) {
    zone = chosen;
  } else {
    const answer = current() ? await call("get", "/api/profile/preferences/") : await call("get", "/api/house/");
    if (isZone(answer.body.time_zone)) zone = answer.body.time_zone;
  }
  tell();
}

/** Nobody is signed in any more: that of the house is shown, unless it cannot be asked. */
export function forgetZone() {
  sessionStorage.removeItem(KEY);
  findZone().catch(() => undefined);
}

/** @param {string} name Of the IANA. */
export function chooseZone(name) {
  sessionStorage.setItem(KEY, name);
  zone = name;
  tell();
}

/** One's own zone is another one now; it is shown, whatever was chosen in this tab. @param {string} name */
export function showOwnZone(name) {
  sessionStorage.removeItem(KEY);
  if (isZone(name)) zone = name;
  tell();
}

/** @param {() => void} watcher Called with each change. */
export function watchZone(watcher) {
  watchers.add(watcher);
  return () => {
    watchers.delete(watcher);
  };
}

function tell() {
  for (const watcher of [...watchers]) watcher();
}
