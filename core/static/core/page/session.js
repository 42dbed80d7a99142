/* Who is signed in, in this tab or, when asked to be kept, in this browser. */

const KEY = "booking.session";
// Tells the other tabs who signed out.
const left = new BroadcastChannel("booking.left");

/** @typedef {{token: string, username: string, isStaff?: boolean}} Session */

/** @type {Set<(session: Session | null) => void>} */
const watchers = new Set();

/** @param {Storage} store @returns {Session | null} */
function sessionIn(store) {
  try {
    const found = JSON.parse(store.getItem(KEY) ?? "null");
    if (found && typeof found.token === "string" && typeof found.username === "string") return found;
  } catch {
    store.removeItem(KEY);
  }
  return null;
}

/** That of the tab, which may be nobody's; else the one that is kept. */
export function current() {
  return sessionIn(sessionStorage.getItem(KEY) === null ? localStorage : sessionStorage);
}

/**
 * @param {Session} session
 * @param {{keep: boolean}} how `keep`: beyond this tab.
 */
export function enter(session, { keep }) {
  // Never without one between: other tabs hear of each step. What is kept of another user stays.
  (keep ? localStorage : sessionStorage).setItem(KEY, JSON.stringify(session));
  if (keep) sessionStorage.removeItem(KEY);
  else if (sessionIn(localStorage)?.username === session.username) localStorage.removeItem(KEY);
  tell();
}

/** Whether the session outlives the tab. */
export function isKept() {
  return sessionStorage.getItem(KEY) === null && localStorage.getItem(KEY) !== null;
}

/** What is known of the user now, such as another name. @param {Partial<Session>} changes */
export function amend(changes) {
  const session = current();
  if (!session) return;
  const amended = { ...session, ...changes };
  if (JSON.stringify(amended) !== JSON.stringify(session)) enter(amended, { keep: isKept() });
}

/** Forgets the token; the other tabs of the same user hear of it. */
export function leave() {
  const session = current();
  forget();
  if (session) left.postMessage(session.username);
  tell();
}

/** Forgets a token that is void. */
export function lose() {
  forget();
  tell();
}

/**
 * Calls with the session whenever it changes.
 *
 * @param {(session: Session | null) => void} watcher
 */
export function watch(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

function forget() {
  const kept = sessionIn(localStorage);
  if (kept && kept.username !== current()?.username) {
    // Somebody else is kept in this browser, and is not signed in in this tab thereby.
    sessionStorage.setItem(KEY, "null");
  } else {
    localStorage.removeItem(KEY);
    sessionStorage.removeItem(KEY);
  }
}

function tell() {
  const session = current();
  for (const watcher of [...watchers]) watcher(session);
}

addEventListener("storage", (event) => {
  if (event.key === KEY) tell();
});

// One token is for all sign-ins of a user, and it is void now.
left.addEventListener("message", (event) => {
  if (current()?.username === event.data) lose();
});
