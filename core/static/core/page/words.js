/* All words of the page. */

/** @param {number} count @param {string} one @param {string} many */
const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;

export const W = {
  name: "Booking system",
  skip: "Skip to the content",
  loading: "Loading …",
  notFound: "Nothing here",
  nowhere: "This address leads nowhere.",
  /** @param {string} date */
  noDay: (date) => `No calendar has a day ${date}.`,
  farDay: "The calendar has the years 1900 to 2999.",
  noBooking: "There is no booking at this address, or it is not yours.",
  noResource: "There is no resource at this address.",
  toToday: "Go to today",
  close: "Close",

  // What goes wrong.
  /** @param {number} seconds */
  busyServer: (seconds) => `The server cannot answer now. It is asked again in ${counted(seconds, "second", "seconds")}.`,
  /** @param {number} seconds */
  noNetwork: (seconds) => `No connection to the server. It is asked again in ${counted(seconds, "second", "seconds")}.`,
  /** @param {number} status */
  refused: (status) => `The server refused this (${status}).`,
  /** @param {number} seconds @param {string} time */
  tooMany: (seconds, time) =>
    `Too many calls. The server answers again ${seconds < 60 ? `in ${counted(seconds, "second", "seconds")}` : `from ${time} on`}.`,

  // The head of the page.
  theDay: "Calendar",
  signIn: "Sign in",
  signOut: "Sign out",
  register: "Register",
  /** @param {string} name */
  signedInAs: (name) => `Signed in as ${name}`,
  zone: "Time zone",
  zoneHint: "All times are shown and typed in this zone.",
  changeZone: "Change",
  /** @param {string} name */
  noZone: (name) => `There is no time zone “${name}”. Type a name such as Europe/Berlin.`,
  /** @param {string} name */
  zoneIs: (name) => `Times are in ${name} now.`,

  // The day.
  previousDay: "Previous day",
  nextDay: "Next day",
  previousWeek: "Previous week",
  nextWeek: "Next week",
  today: "Today",
  day: "Day",
  oneDay: "Day",
  oneWeek: "Week",
  span: "Span",
  grid: "Table",
  list: "List",
  form: "Form",
  /** @param {string} first @param {string} last */
  week: (first, last) => `${first} to ${last}`,
  /** @param {string} day @param {string} first @param {string} last */
  clockChange: (day, first, last) => `The clock changes on ${day}, from ${first} to ${last}.`,
  search: "Words",
  people: "People",
  from: "From",
  to: "To",
  freeThroughout: "Only what is free from start to end",
  toFirst: "“To” is not after “From”: the whole day is shown.",
  clear: "Show all",
  filters: "Filters",
  book: "Book",
  newBooking: "New booking",
  noResources: "Nothing can be booked here yet.",
  noneFound: "No resource matches. Show all, or change the filters.",
  /** @param {number} count */
  holds: (count) => `for ${count}`,
  resource: "Resource",
  keys: "Arrow keys move between free times and bookings; Enter opens one. The list has the same.",
  /** @param {number} count */
  found: (count) => counted(count, "resource", "resources"),
  legend: "What the patterns mean",
  kinds: {
    free: "Free",
    taken: "Taken",
    pending: "Taken, not confirmed yet",
    closed: "Closed",
    mine: "Yours",
    none: "Cannot be booked",
  },
  short: { free: "Free", taken: "Taken", pending: "Pending", closed: "Closed", mine: "Yours", none: "" },
  minePending: "Yours, not confirmed yet",
  outOfService: "Out of service",
  /** @param {string} what @param {string} when */
  freeSpan: (what, when) => `Book ${what}, free ${when}`,

  // The form.
  bookIt: "Book",
  moveIt: "Save the change",
  signInToBook: "Sign in to book",
  askAgain: "Ask again",
  start: "Start",
  end: "End",
  endDay: "Ends on",
  length: "Length in minutes",
  notes: "Notes",
  notesHint: "For you and for staff.",
  firstOrSecond: "Which of the two",
  /** @param {string} time @param {string} date */
  skipped: (time, date) => `The clock skips ${time} on ${date}. Choose another time.`,
  incomplete: "Say which resource, and when.",
  endFirst: "The end must be after the start.",
  canBeBooked: "This can be booked.",
  canBeMoved: "This change is possible.",
  waitsForStaff: "This can be booked; staff then confirm it.",
  signInToCheck: "Sign in, and the server says whether this can be booked.",
  checking: "Asking whether this is possible …",
  sending: "Sending …",
  unknown: "Whether it is booked is not known yet. Nothing is booked twice.",
  suggestions: "What could be booked instead",
  /** @param {string} kind @param {string} when @param {string} where */
  suggestion: (kind, when, where) =>
    ({ later: `Later: ${when}`, earlier: `Earlier: ${when}`, elsewhere: `${where}: ${when}` })[kind] ?? `${where}: ${when}`,
  /** @param {string} suggestion */
  bookInstead: (suggestion) => `Book ${suggestion}`,
  changedMeanwhile: "Somebody else changed this booking meanwhile. What you typed is kept; save again to overwrite.",
  /** @param {string} name @param {string} before @param {string} after */
  changedField: (name, before, after) => `${name}: ${before} is now ${after}`,
  none: "none",

  // One booking.
  booking: "Booking",
  status: "Status",
  when: "When",
  statuses: {
    confirmed: "Confirmed",
    pending: "Waits for staff to confirm it",
    cancelled: "Cancelled",
    rejected: "Rejected by staff",
  },
  bookedNow: "Booked.",
  bookedPending: "Asked for. Staff confirm it, or reject it.",
  moved: "The change is saved.",
  cancel: "Cancel the booking",
  cancelSure: "Cancel this booking?",
  cancelNote: "Its time is free again for everybody.",
  yesCancel: "Yes, cancel it",
  keepIt: "Keep it",
  cancelled: "The booking is cancelled.",
  move: "Move or change",
  dayOfBooking: "See its day",
  bookedBy: "Booked by",
  changedBefore: "The booking was changed meanwhile. This is how it is now.",

  // A resource.
  capacity: "Holds",
  /** @param {number} count */
  people_or_items: (count) => counted(count, "person or item", "people or items"),
  approval: "Approval",
  needsApproval: "Staff confirm each booking",
  needsNone: "A booking counts at once",
  /** @param {string} moment */
  freeFrom: (moment) => `from ${moment} on`,
  seeDay: "See its day",
  seeWeek: "See its week",

  // One's bookings.
  myBookings: "My bookings",
  which: { coming: "Coming", past: "Past", cancelled: "Cancelled" },
  noBookings: {
    coming: "Nothing is booked. Choose a free time in the calendar.",
    past: "No booking is over yet.",
    cancelled: "No booking is cancelled or rejected.",
  },
  /** @param {number} count @param {boolean} isMore */
  bookingsShown: (count, isMore) => `${isMore ? "The first " : ""}${counted(count, "booking", "bookings")}`,
  more: "Show more",
  /** @param {number} count */
  moreDates: (count) => counted(count, "more date", "more dates"),
  subscribe: "Subscribe to a calendar",
  calendarFile: "Calendar file",
  maybeDone: "Whether it is done is not known yet. Nothing is done twice.",
  reason: "Reason",
  reasonHint: "Optional. The mail and the history show it.",
  revive: "Take the cancellation back",
  reviveSure: "Take the cancellation back?",
  reviveNote: "It is booked anew, if its time is still free.",
  reviveHint: "With more dates, those that were changed on their own become as the others.",
  yesRevive: "Yes, book it again",
  leaveCancelled: "Leave it cancelled",
  revived: "It is booked again.",
  history: "History",
  acts: {
    "booking.created": "Booked",
    "booking.changed": "Changed",
    "booking.confirmed": "Confirmed",
    "booking.rejected": "Rejected",
    "booking.cancelled": "Cancelled",
    "booking.expired": "Expired, since nobody confirmed it",
    "booking.removed": "Removed",
  },
  parts: { owner: "the owner", staff: "staff", system: "the system" },
  you: "you",
  /** @param {string} when @param {string} who */
  actOf: (when, who) => `${when}, by ${who}`,
  /** @param {string} reason */
  because: (reason) => `Reason: ${reason}`,
  fields: { resource_name: "Resource", start_time: "Start", end_time: "End", status: "Status", notes: "Notes", staff_note: "Note of staff" },
  /** @param {string} name @param {string} before @param {string} after */
  changedTo: (name, before, after) => `${name}: ${before} → ${after}`,

  // Series.
  series: "Series",
  partOfSeries: "A date of a series",
  /** @param {string} what */
  seriesOf: (what) => `Series: ${what}`,
  noSeries: "There is no series at this address, or it is not yours.",
  scope: "Which dates",
  scopes: { this: "Only this date", following: "This date and the later ones", all: "All dates that are not over" },
  scopeHint: "Dates that were changed on their own stay as they are.",
  cancelDatesNote: "Their time is free again for everybody.",
  /** @param {number} count */
  cancelDatesSure: (count) => `Cancel ${counted(count, "date", "dates")}?`,
  seriesChanged: "The series was changed meanwhile. What you typed is kept.",
  yesCancelDates: "Yes, cancel them",
  keepThem: "Keep them",
  /** @param {number} count */
  datesCancelled: (count) => (count === 1 ? "The date is cancelled." : `${count} dates are cancelled.`),
  /** @param {number} count */
  cancelChosen: (count) => `Cancel the chosen ${counted(count, "date", "dates")}`,
  cancelComing: "Cancel all to come",
  timeOfDay: "Time of day",
  previous: "Before",
  previousSeries: "An earlier series",
  /** @param {number} count */
  itsDates: (count) => counted(count, "date", "dates"),
  moveDatesHint: "Open a date to move or change it, alone or with the others.",
  notBooked: "Not booked",
  /** Why a date was not booked, by the code of the API. @type {Record<string, string>} */
  whyNot: {
    slot_taken: "its time was taken",
    not_on_the_clock: "the clock skips its time",
    closed: "closed then",
    outside_opening_hours: "outside the opening hours",
    too_far_ahead: "too far ahead",
    quota_exceeded: "more than the quota",
  },
  /** @param {string} when */
  choose: (when) => `Choose ${when}`,
  repeats: "Repeats",
  often: { "": "Does not repeat", DAILY: "Every day", WEEKLY: "Every week", MONTHLY: "Every month", YEARLY: "Every year" },
  every: {
    DAILY: "Every how many days", WEEKLY: "Every how many weeks", MONTHLY: "Every how many months", YEARLY: "Every how many years",
  },
  onDays: "On these days",
  onWhich: "On",
  /** @param {number} day */
  onDay: (day) => `day ${day} of the month`,
  /** @param {number} nth 1 to 4. @param {string} weekday */
  onNth: (nth, weekday) => `the ${["first", "second", "third", "fourth"][nth - 1]} ${weekday}`,
  /** @param {string} weekday */
  onLast: (weekday) => `the last ${weekday}`,
  ends: "Ends",
  endsBy: { count: "After a number of dates", until: "On a day" },
  dates: "Dates",
  lastDay: "Last day",
  leaveOut: "Leave out dates that cannot be booked",
  badInterval: "Say how often, in whole numbers.",
  /** @param {number} most */
  badCount: (most) => `Say how many dates, from 1 to ${most}.`,
  badUntil: "Say on which day the dates end.",
  eachDate: "Each date",
  possible: "can be booked",
  /** @param {string} when */
  takeInstead: (when) => `Take ${when}`,
  /** @param {{code: string}[]} dates */
  datesPossible(dates) {
    const good = dates.filter(({ code }) => !code).length;
    if (good < dates.length) return `${good} of ${counted(dates.length, "date", "dates")} can be booked; the others are left out.`;
    return good === 1 ? "the one date can be booked." : `all ${good} dates can be booked.`;
  },
  /** @param {number} made @param {number} skipped */
  bookedDates: (made, skipped) =>
    `${made === 1 ? "One date is" : `${made} dates are`} booked${skipped ? `, ${skipped} left out` : ""}.`,

  // Accounts.
  username: "User name",
  email: "E-mail address",
  password: "Password",
  newPassword: "New password",
  samePassword: "New password again",
  keep: "Keep me signed in",
  keepHint: "Only in a browser that is yours.",
  forgotten: "Forgotten your password?",
  forgottenTitle: "Forgotten password",
  forgottenText: "Type your address. A mail brings a link to a new password.",
  sendLink: "Send the link",
  linkSent: "If the address has an account here, a mail with a link is on its way.",
  newHere: "New here?",
  haveAccount: "Have an account?",
  resetTitle: "New password",
  setPassword: "Set the password",
  passwordSet: "The new password is set. Sign in with it.",
  signedOut: "You are signed out.",
  signInFirst: "Sign in to go on. What you typed is kept.",
  toSignIn: "To the sign-in",

  // One's account.
  account: "Account",
  /** @param {string} name */
  accountOf: (name) => `Account: ${name}`,
  desk: "Desk",
  deskHint: "The pages of staff. They ask for the password once more.",
  save: "Save",
  /** @param {number} seconds */
  pressAgain: (seconds) => `No answer from the server, so whether it was done is not known. Press again in ${counted(seconds, "second", "seconds")}.`,
  about: "About you",
  firstName: "First name",
  lastName: "Last name",
  currentPassword: "Current password",
  emailNeedsPassword: "A new address needs it.",
  aboutSaved: "Your account is saved.",
  emailConfirmed: "Your address is confirmed.",
  emailNotConfirmed: "Your address is not confirmed yet: until then mails leave out notes and names.",
  confirmEmail: "Send the link to confirm it",
  confirmationSent: "A mail with a link is on its way.",
  picture: "Address of your picture",
  pictureHint: "Empty: none. The picture itself is not shown here.",
  pictureSaved: "The address of your picture is saved.",
  pictureGone: "You have no picture now.",
  mails: "Times and mails",
  ownZoneHint: "Type a name such as Europe/Berlin. Times on this page and in mails are in it.",
  tellMe: "Send a mail when",
  booking_created: "a booking is made",
  booking_changed: "a booking is changed",
  booking_confirmed: "staff confirm a booking",
  booking_rejected: "staff reject a booking",
  booking_cancelled: "a booking is cancelled",
  reminder: "Remind me so many minutes before the start",
  reminderHint: "Empty: never.",
  mailsSaved: "Times and mails are saved.",
  feeds: "Calendar feeds",
  feedsText: "A calendar program shows your bookings, or those of a resource, from a secret address. Whoever knows the address can read them.",
  ownBookings: "Your bookings",
  feedOf: "Feed of",
  feedOfResource: "Of a resource",
  feedNames: "Tell who booked",
  newFeed: "Make a feed",
  noFeeds: "You have no feeds.",
  /** @param {string} date */
  madeOn: (date) => `Made on ${date}.`,
  /** @param {string} date */
  lastUsed: (date) => `Last read on ${date}.`,
  neverUsed: "Not read yet.",
  feedMade: "The feed is made. Its address is shown this once.",
  feedAddress: "Address of the feed",
  feedOnce: "Copy it now, or subscribe. It is never shown again; a new feed has a new one.",
  copy: "Copy",
  copied: "The address is copied.",
  notCopied: "The browser did not copy it. It is marked: copy it by hand.",
  subscribeTo: "Subscribe",
  endFeed: "End it",
  /** @param {string} what */
  endFeedOf: (what) => `End it: ${what}`,
  endFeedSure: "End this feed?",
  endFeedNote: "Calendar programs that read it find nothing there from then on.",
  yesEndFeed: "Yes, end it",
  feedEnded: "The feed is ended.",
  quotas: "What you may still book",
  noQuotas: "No quota limits you.",
  /** @param {number} used @param {number} limit @param {"active" | "count" | "minutes"} kind @param {string} period */
  quota: (used, limit, kind, period) => kind === "active"
    ? `${used} of ${counted(limit, "booking", "bookings")} that are not over`
    : `${used} of ${kind === "minutes" ? counted(limit, "minute", "minutes") : counted(limit, "booking", "bookings")} ${period}`,
  periods: { day: "today", week: "this week", month: "this month" },
  /** @param {number} left */
  left: (left) => `${left} left.`,
  /** @param {string} moment */
  moreFrom: (moment) => `None left; more from ${moment} on.`,
  allResources: "All resources",
  /** @param {number} id */
  resourceNumber: (id) => `Resource ${id}`,
  changePassword: "Change the password",
  endsTokens: "You are signed out on every other device.",
  endFeedsToo: "End all calendar feeds, too",
  passwordChanged: "The new password is set.",
  devices: "Your devices",
  everywhereText: "One sign-in counts for all your devices.",
  signOutEverywhere: "Sign out on every device",
  signedOutHere: "You are signed out in this browser. The server did not answer, so other devices may still be signed in.",
  deleteAccount: "Delete the account",
  deleteNote: "Your account and all your bookings are deleted for good.",
  yesDelete: "Delete my account for good",
  accountDeleted: "Your account is deleted.",
};
