"""The mutants of `make mutants`: each removes or weakens one guard or rule of a booking.

`old` quotes the code exactly; a change of that code must change the quotation too.
"""

from dataclasses import dataclass

SQLITE, POSTGRES = "SQLite", "PostgreSQL"

# Fast, specific tests come first: a run ends at its first failure.
RULES = ("core/tests/bookings/test_lifecycle_rules.py", "core/tests/bookings/test_*.py")
LOCKS = ("core/tests/bookings/test_lifecycle_locks.py", "core/tests/guarantee/test_parallel.py")
MANY = ("core/tests/guarantee/test_bulk.py",)
GUARD = tuple(f"core/tests/guarantee/test_{name}.py" for name in ("direct", "schema", "constraints"))

HOURS = ("core/tests/availability/test_hours.py",)
SERIES = ("core/tests/recurrence/test_expansion.py", "core/tests/recurrence/test_*.py")
POLICIES = ("core/tests/policies/test_*.py", "core/tests/bookings/test_override.py")

REPORTS = ("core/tests/reports/test_utilisation.py", "core/tests/reports/test_arithmetic.py")

SERIES_VERBS = ("core/tests/series/test_verbs.py",)
SERIES_ALONE = tuple(f"core/tests/series/test_{name}.py" for name in ("verbs", "own_dates", "as_if_alone"))
SERIES_EDITS = ("core/tests/series/test_edits.py",)
SERIES_GUARD = ("core/tests/guarantee/test_series.py",)

BOOK_SERIES = "core/lifecycle/series.py"
CHANGING = "core/lifecycle/changing.py"
GROUND = "core/lifecycle/ground.py"
VERDICTS = "core/lifecycle/verdicts.py"
REWRITING = "core/lifecycle/rewriting.py"
HELD = "core/lifecycle/held.py"
SERIES_MIGRATION = "core/migrations/0027_series.py"
LIFECYCLE = "core/lifecycle/bookings.py"
TRANSACTIONS = "core/lifecycle/transactions.py"
DELETION = "core/lifecycle/resources.py"
TOGETHER = "core/lifecycle/together.py"
QUOTAS = "core/quotas.py"
CONFLICTS = "core/conflicts.py"
BOUNDS = "core/rules/bounds.py"
CHANGES = "core/rules/changes.py"
RULE_LIST = "core/rules/slots.py"
STATES = "core/rules/states.py"
CONSTRAINTS = "core/constraints/times.py"
RECORD_CONSTRAINT = "core/constraints/record.py"
BOOKING_VERBS = "core/querysets/bookings.py"
ROWS = "core/querysets/rows.py"
CHOICES = "core/choices.py"
TIMETABLE = "core/hours/timetable.py"
EXPANSION = "core/recurrence/expansion.py"
DAYS_OF_RULES = "core/recurrence/days.py"
TERMS = "core/terms.py"
COUNTING = "core/reports/counting.py"
CELLS = "core/reports/cells.py"
REPORT = "core/reports/utilisation.py"
IN_MEMORY = "core/tests/resources/test_terms_in_memory.py"
MIGRATION = "core/migrations/0001_initial.py"
SETTINGS = "booking_system_api/settings.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of the code: `new` replaces `old` in the file; on that database, one of the tests must then fail."""

    name: str
    path: str
    old: str
    new: str
    database: str = SQLITE
    tests: tuple[str, ...] = RULES


GUARDS = [
    Mutant(
        "the row lock",
        ROWS,
        'queryset.select_for_update(no_key=True, of=("self",)).order_by("pk")',
        'queryset.order_by("pk")',
        POSTGRES,
        LOCKS,
    ),
    Mutant(
        "the row lock: the order of two",
        ROWS,
        'select_for_update(no_key=True, of=("self",)).order_by("pk")',
        'select_for_update(no_key=True, of=("self",)).order_by("-pk")',
        POSTGRES,
        LOCKS,
    ),
    Mutant(
        "the row lock: of the booking",
        TRANSACTIONS,
        "return locked(Booking.objects.filter(pk=pk))",
        "return Booking.objects.filter(pk=pk)",
        POSTGRES,
        LOCKS,
    ),
    Mutant(
        "the row lock: of a resource deleted",
        DELETION,
        "    locked(Resource.objects.filter(pk=resource.pk)).first()\n",
        "",
        POSTGRES,
        LOCKS,
    ),
    Mutant(
        "the locks of many: of the bookings",
        TOGETHER,
        "rows = list(locked(Booking.objects.filter(pk__in=bookings)))",
        "rows = list(Booking.objects.filter(pk__in=bookings))",
        POSTGRES,
        MANY,
    ),
    Mutant(
        "the locks of many: of the resources",
        TOGETHER,
        "        len(locked(Resource.objects.filter(pk__in=of_resources)))\n",
        "",
        POSTGRES,
        MANY,
    ),
    Mutant(
        "the locks of many: of the users",
        TOGETHER,
        "        len(locked(User.objects.filter(pk__in=of_users)))\n",
        "",
        POSTGRES,
        MANY,
    ),
    Mutant(
        "the write lock of SQLite at the beginning",
        SETTINGS,
        '"transaction_mode": "IMMEDIATE"',
        '"transaction_mode": "DEFERRED"',
        SQLITE,
        LOCKS,
    ),
    Mutant(
        "the PostgreSQL constraint",
        CONSTRAINTS,
        'CONSTRAINT {schema_editor.quote_name(self.name)} {self._exclusion()}"',
        'CONSTRAINT {schema_editor.quote_name(self.name)} CHECK (true)"',
        POSTGRES,
        GUARD,
    ),
    Mutant(
        "the PostgreSQL constraint: half-open slots",
        CONSTRAINTS,
        "tstzrange(start_time, end_time)",
        "tstzrange(start_time, end_time, '[]')",
        POSTGRES,
        GUARD,
    ),
    Mutant(
        "the PostgreSQL constraint: blocking ones only",
        CONSTRAINTS,
        "WHERE ({BLOCKING_SQL})",
        "WHERE (true)",
        POSTGRES,
        GUARD,
    ),
    Mutant(
        "the PostgreSQL constraint: pending ones too",
        CONSTRAINTS,
        "WHERE ({BLOCKING_SQL})",
        "WHERE (status = 'confirmed')",
        POSTGRES,
        GUARD,
    ),
    Mutant(
        "the PostgreSQL check of the years",
        CONSTRAINTS,
        "return f\"{column} >= '0001-01-01 00:00:00+00' AND {column} < '10000-01-01 00:00:00+00'\"",
        'return "true"',
        POSTGRES,
        GUARD,
    ),
    Mutant(
        "the SQLite triggers",
        CONSTRAINTS,
        "schema_editor.deferred_sql.extend(self._on_sqlite(model, schema_editor))",
        "self._on_sqlite(model, schema_editor)",
        SQLITE,
        GUARD,
    ),
    Mutant(
        "the SQLite triggers: after a rebuild",
        CONSTRAINTS,
        "schema_editor.deferred_sql.extend(self._on_sqlite(model, schema_editor))",
        "if not model._meta.db_table.startswith('new__'):\n"
        "            schema_editor.deferred_sql.extend(self._on_sqlite(model, schema_editor))",
        SQLITE,
        GUARD,
    ),
    Mutant("the SQLite triggers: INSERT", CONSTRAINTS, '"insert": "AFTER INSERT", ', "", SQLITE, GUARD),
    Mutant(
        "the SQLite triggers: UPDATE",
        CONSTRAINTS,
        ', "update": "AFTER UPDATE OF id, resource_id, start_time, end_time, status"',
        "",
        SQLITE,
        GUARD,
    ),
    *(
        Mutant(
            f"the SQLite triggers: UPDATE of {column.strip(', ')}",
            CONSTRAINTS,
            f"UPDATE OF {old}",
            f"UPDATE OF {new}",
            SQLITE,
            GUARD,
        )
        for column, old, new in (
            ("resource_id", "id, resource_id, start_time, end_time, status", "id, start_time, end_time, status"),
            ("start_time", "id, resource_id, start_time, end_time, status", "id, resource_id, end_time, status"),
            ("end_time", "id, resource_id, start_time, end_time, status", "id, resource_id, start_time, status"),
            ("status", "id, resource_id, start_time, end_time, status", "id, resource_id, start_time, end_time"),
        )
    ),
    Mutant(
        "the SQLite triggers: half-open",
        CONSTRAINTS,
        "WHERE NEW.end_time > (",
        "WHERE NEW.end_time >= (",
        SQLITE,
        GUARD,
    ),
    Mutant(
        "the SQLite triggers: touching before",
        CONSTRAINTS,
        "AND other.end_time > NEW.start_time",
        "AND other.end_time >= NEW.start_time",
        SQLITE,
        GUARD,
    ),
    Mutant(
        "the SQLite check of the form of times", CONSTRAINTS, "CHECK ({rule})", "CHECK (1 OR {rule})", SQLITE, GUARD
    ),
    Mutant("the check: end after start", MIGRATION, '"end_time__gt"', '"end_time__gte"', SQLITE, GUARD),
    Mutant(
        "the check: known status",
        MIGRATION,
        '"cancelled", "rejected"])',
        '"cancelled", "rejected", "approved"])',
        SQLITE,
        GUARD,
    ),
    Mutant("the check: capacity", MIGRATION, '"capacity__gte", 1', '"capacity__gte", 0', SQLITE, GUARD),
    Mutant(
        "a refusal of the database explained",
        TRANSACTIONS,
        "error = as_booking_error(violation)",
        "error = None",
        SQLITE,
        RULES,
    ),
    Mutant(
        "a refusal of the database explained with the clash",
        TRANSACTIONS,
        "if isinstance(as_booking_error(violation), errors.SlotTaken):",
        "if False:",
        POSTGRES,
        LOCKS,
    ),
]

ASKED_OF_NEW = "rules.asked_of_new(slot, now=act.now, as_record=as_record)"
START_MOVED = "if after.start_time != before.start_time:"
ASKED_OF_START = "asked |= {start_ahead, not_too_long_ago}"
NOT_FOR_STAFF = "return asked - not_of_staff if staff else asked"

SLOT_RULES = [
    Mutant("lead time: in the list", RULE_LIST, "    lead_time,\n", ""),
    Mutant("lead time: for staff too", LIFECYCLE, ASKED_OF_NEW, ASKED_OF_NEW.replace(")", " or act.is_staff)")),
    Mutant("lead time: not for a record", LIFECYCLE, ASKED_OF_NEW, "rules.RULES"),
    Mutant(
        "lead time: exactly is enough",
        RULE_LIST,
        "slot.start < window(policy, now=now)",
        "slot.start <= window(policy, now=now)",
    ),
    Mutant("lead time: too soon", RULE_LIST, "if slot.start < window(policy, now=now).start:", "if False:"),
    Mutant("lead time: the past says so", RULE_LIST, "if slot.start < now:", "if False:"),
    Mutant("lead time: now is not past", RULE_LIST, "if slot.start < now:", "if slot.start <= now:"),
    Mutant("lead time: of a start that is moved", CHANGES, "            asked.add(lead_time)\n", "            pass\n"),
    Mutant("lead time: not to give time back", CHANGES, "if takes_time(before, after):", "if True:"),
    Mutant("lead time: not for staff who move", CHANGES, NOT_FOR_STAFF, "return asked"),
    Mutant("the start is ahead: in the list", RULE_LIST, "    start_ahead,\n", ""),
    Mutant("the start is ahead: of a start that is moved", CHANGES, ASKED_OF_START, "asked.add(not_too_long_ago)"),
    Mutant("the end is ahead: of an end that is moved", CHANGES, "{end_ahead, horizon}", "{horizon}"),
    Mutant("the end is ahead: now is past", RULE_LIST, "if slot.end <= now:", "if slot.end < now:"),
    Mutant("lead time: not where only the end is moved", CHANGES, START_MOVED, "if True:"),
    Mutant("not too long ago: in the list", RULE_LIST, "    not_too_long_ago,\n", ""),
    Mutant("not too long ago: of a start that is moved", CHANGES, ASKED_OF_START, "asked.add(start_ahead)"),
    Mutant("not too long ago: exactly is allowed", RULE_LIST, "start < EARLIEST_START", "start <= EARLIEST_START"),
    Mutant("order: in the list", RULE_LIST, "    order,\n", ""),
    Mutant("order: of a change", CHANGES, "        asked.add(order)\n", "        pass\n"),
    Mutant("order: the same moment", RULE_LIST, "if slot.start >= slot.end:", "if slot.start > slot.end:"),
    Mutant("horizon: in the list", RULE_LIST, "    horizon,\n", ""),
    Mutant("horizon: of a change", CHANGES, "{end_ahead, horizon}", "{end_ahead}"),
    Mutant(
        "horizon: exactly is allowed",
        RULE_LIST,
        "slot.end > window(now=now).end",
        "slot.end >= window(now=now).end",
    ),
    Mutant("horizon: 1826 days", BOUNDS, "timedelta(days=1826)", "timedelta(days=1827)"),
]

FREE = "            take(after, waiver, now=act.now, staff=staff)\n"
NEEDS_SLOT = "return after.blocks and (takes_time(before, after) or not before.blocks)"
IN_SERVICE = "    if needs_free_slot(before, after):\n        asked.add(in_service)\n"

FREE_AND_IN_SERVICE = [
    Mutant(
        "free slot: of a new booking",
        LIFECYCLE,
        "        if booking.blocks:\n            take(booking, waiver, now=act.now, staff=as_record)\n",
        "",
    ),
    Mutant("free slot: only where it blocks", LIFECYCLE, "        if booking.blocks:\n", "        if True:\n"),
    Mutant("free slot: of a change", LIFECYCLE, FREE, "            pass\n"),
    Mutant("free slot: of a move", LIFECYCLE, FREE, f"            if not before.blocks:\n    {FREE}"),
    Mutant("free slot: of a revival", LIFECYCLE, FREE, f"            if before.blocks:\n    {FREE}"),
    Mutant(
        "free slot: a move that does not block",
        CHANGES,
        NEEDS_SLOT,
        "return takes_time(before, after) or not before.blocks",
    ),
    Mutant("free slot: not of itself", CONFLICTS, "slot.start, except_id=booking.pk)", "slot.start, except_id=None)"),
    Mutant("free slot: three clashes", CONFLICTS, "CLASHES_NAMED = 3", "CLASHES_NAMED = 4"),
    Mutant("clashes: touching after", CONFLICTS, "if start < slot.end]", "if start <= slot.end]"),
    Mutant("clashes: touching before", BOOKING_VERBS, "gt=moment).order_by(", "gte=moment).order_by("),
    Mutant("in service: in the list", RULE_LIST, "    in_service,\n", ""),
    Mutant(
        "in service: for staff too",
        LIFECYCLE,
        ASKED_OF_NEW,
        f"{ASKED_OF_NEW} - ({{rules.in_service}} if act.is_staff else set())",
    ),
    Mutant("in service: a change", CHANGES, IN_SERVICE, ""),
    Mutant("in service: a move", CHANGES, IN_SERVICE, IN_SERVICE.replace("if ", "if not before.blocks and ")),
    Mutant("in service: a change by staff", CHANGES, IN_SERVICE, IN_SERVICE.replace("if ", "if not staff and ")),
    Mutant("in service: confirming what is there", CHANGES, NEEDS_SLOT, "return after.blocks"),
]

SAME = "abs(wanted - stored) < SAME_MOMENT"
MOVED = "if after.slot != before.slot:"
TAKES = "return after.resource_id != before.resource_id or not before.slot.contains(after.slot)"
REVIVED = "return set(slots.RULES) - not_of_staff if staff else set(slots.RULES)"

WHOLE_CHANGE = [
    Mutant("whole change: another time is a move", CHANGES, TAKES, "return after.resource_id != before.resource_id"),
    Mutant("whole change: the start alone is a move", CHANGES, MOVED, MOVED.replace("slot", "end_time")),
    Mutant("whole change: the end alone is a move", CHANGES, MOVED, MOVED.replace("slot", "start_time")),
    Mutant("what does not change is not checked again", CHANGES, TAKES, "return True"),
    Mutant("a revival is checked", CHANGES, NEEDS_SLOT, "return after.blocks and takes_time(before, after)"),
    Mutant("a revival is a new booking", CHANGES, REVIVED, "return {in_service}"),
    Mutant("a revival: staff need no lead time", CHANGES, REVIVED, "return set(slots.RULES)"),
    Mutant("giving back takes no time", CHANGES, TAKES, "return after.slot != before.slot"),
    Mutant("giving back: on the same resource", CHANGES, TAKES, "return not before.slot.contains(after.slot)"),
    Mutant("millisecond: less is no move", CHANGES, SAME, "wanted == stored"),
    Mutant("millisecond: one is a move", CHANGES, SAME, SAME.replace("<", "<=")),
    Mutant("millisecond: earlier too", CHANGES, SAME, "wanted - stored < SAME_MOMENT"),
    Mutant(
        "the notes that are not named stay",
        LIFECYCLE,
        "before.notes if changes.notes is None else changes.notes",
        'changes.notes or ""',
    ),
]

WAYS = {
    "pending to cancelled": ("(self.PENDING, self.CANCELLED): ", "True", ("False",)),
    "confirmed to cancelled": ("(self.CONFIRMED, self.CANCELLED): ", "True", ("False",)),
    "cancelled to pending": ("(self.CANCELLED, self.PENDING): ", "True", ("False",)),
    "pending to confirmed": ("(self.PENDING, self.CONFIRMED): ", "not requires_approval", ("False", "True")),
    "cancelled to confirmed": ("(self.CANCELLED, self.CONFIRMED): ", "not requires_approval", ("False", "True")),
}
CONFIRMED_BEFORE = "current == BookingStatus.CONFIRMED"
BACK = f"back_to_pending = takes_time(before, after) and approval and {CONFIRMED_BEFORE}"
FIRST = "return cls.PENDING if requires_approval else cls.CONFIRMED"
ASKED_FIRST = "if not any_status and wanted not in {BookingStatus.PENDING, given}:"

STATUS = [
    *(
        Mutant(f"status: {name} {'open' if new == 'True' else 'shut'}", CHOICES, way + old, way + new)
        for name, (way, old, news) in WAYS.items()
        for new in news
    ),
    Mutant(
        "status: staying",
        CHOICES,
        "if wanted == self:\n            return True\n",
        "if wanted == self:\n            return False\n",
    ),
    Mutant("status: nothing else", CHOICES, "ways.get((self, wanted), False)", "ways.get((self, wanted), True)"),
    Mutant(
        "status: owners keep to the ways",
        STATES,
        "if not current.owner_may_become(wanted, requires_approval=approval):",
        "if False:",
    ),
    Mutant("status: staff do not", STATES, "    if staff:\n        return wanted\n", ""),
    Mutant("back to pending", STATES, BACK, "back_to_pending = False"),
    Mutant("back to pending: where moved", STATES, BACK, BACK.replace("takes_time(before, after) and ", "")),
    Mutant("back to pending: with approval", STATES, BACK, BACK.replace("approval and ", "")),
    Mutant("back to pending: of confirmed", STATES, BACK, BACK.removesuffix(" and current == BookingStatus.CONFIRMED")),
    Mutant(
        "back to pending: cancelling wins",
        STATES,
        "if back_to_pending and wanted in BookingStatus.blocking():",
        "if back_to_pending:",
    ),
    Mutant(
        "back to pending: the resource it then is on",
        STATES,
        "approval = after.resource.requires_approval",
        "approval = before.resource.requires_approval",
    ),
    Mutant("first status: where none is asked", CHOICES, FIRST, "return cls.PENDING"),
    Mutant("first status: with approval", CHOICES, FIRST, "return cls.CONFIRMED"),
    Mutant("first status: what an owner may ask", STATES, ASKED_FIRST, "if False:"),
    Mutant("first status: pending anywhere", STATES, ASKED_FIRST, ASKED_FIRST.replace("BookingStatus.PENDING, ", "")),
    Mutant(
        "first status: staff ask for any", LIFECYCLE, "any_status=as_record or act.is_staff", "any_status=as_record"
    ),
]

ENDED = "if not staff and booking.end_time <= now:"
OF_CHANGE = "rules.history(before, now=act.now, staff=staff)"
OF_CANCEL = "rules.history(before, now=act.now, staff=act.is_staff)"

HISTORY = [
    Mutant("history: change", LIFECYCLE, OF_CHANGE, "pass"),
    Mutant("history: at the end", STATES, ENDED, ENDED.replace("<=", "<")),
    Mutant("history: staff change it", LIFECYCLE, OF_CHANGE, OF_CHANGE.replace("staff=staff", "staff=False")),
    Mutant("history: begun is not ended", STATES, ENDED, ENDED.replace("end_time", "start_time")),
    Mutant("history: cancel", LIFECYCLE, OF_CANCEL, "pass"),
    Mutant("history: staff cancel it", LIFECYCLE, OF_CANCEL, OF_CANCEL.replace("act.is_staff", "False")),
    Mutant(
        "history: cancelled before stays", LIFECYCLE, "        if not before.blocks:\n            return before\n", ""
    ),
]

RECORD = ("core/tests/guarantee/test_record.py", "core/tests/bookings/test_lifecycle_events.py")
DECISIONS = ("core/tests/bookings/test_reasons.py", "core/tests/bookings/test_admin*.py")
RELAY = ("core/tests/record/test_relay.py",)
SERIES_MAILS = ("core/tests/notifications/test_series_mails.py", "core/tests/calendars/test_series_files.py")
WRITING = "core/record/writing.py"

ACTS = [
    Mutant(
        "the record: of a new booking",
        LIFECYCLE,
        "        record(act, EventKind.CREATED, after=booking, waived=waiver.used)\n",
        "",
        tests=RECORD,
    ),
    Mutant(
        "the record: of a removal",
        LIFECYCLE,
        "    record(act, EventKind.REMOVED, before=before, after=after)\n",
        "",
        tests=RECORD,
    ),
    Mutant(
        "the record: UPDATE on SQLite",
        RECORD_CONSTRAINT,
        "WHEN NOT ({' AND '.join(allowed)})\"",
        'WHEN 0"',
        tests=RECORD,
    ),
    Mutant(
        "the record: DELETE on SQLite",
        RECORD_CONSTRAINT,
        "WHEN OLD.at >= datetime(",
        "WHEN 0 AND OLD.at >= datetime(",
        tests=RECORD,
    ),
    Mutant(
        "the record: REPLACE on SQLite",
        RECORD_CONSTRAINT,
        "WHEN EXISTS (SELECT 1 FROM",
        "WHEN 0 AND EXISTS (SELECT 1 FROM",
        tests=RECORD,
    ),
    Mutant(
        "the record: UPDATE on PostgreSQL",
        RECORD_CONSTRAINT,
        "IF TG_OP = 'UPDATE' THEN IF ",
        "IF TG_OP = 'UPDATE' THEN IF true OR ",
        POSTGRES,
        RECORD,
    ),
    Mutant(
        "the record: DELETE on PostgreSQL",
        RECORD_CONSTRAINT,
        "IF OLD.at < now()",
        "IF true OR OLD.at < now()",
        POSTGRES,
        RECORD,
    ),
    Mutant(
        "the record: TRUNCATE on PostgreSQL",
        RECORD_CONSTRAINT,
        "FOR EACH STATEMENT",
        "FOR EACH STATEMENT WHEN (false)",
        POSTGRES,
        RECORD,
    ),
    Mutant(
        "the record: words of a deleted account",
        WRITING,
        '{"owner": None, "owner_words": {}}',
        '{"owner": None}',
        tests=RECORD,
    ),
    Mutant(
        "mails: an act on a series waits for those on its dates",
        "core/record/relay.py",
        " or (row.pk, booking) in told_by)",
        ")",
        POSTGRES,
        RELAY,
    ),
    Mutant(
        "the record: handed on in order",
        "core/record/relay.py",
        "            pk < row.pk and (",
        "            False and (",
        POSTGRES,
        RELAY,
    ),
    Mutant(
        "the record: what waits keeps back what comes after it",
        "core/record/relay.py",
        "earlier.append((row.booking_id, row.pk))",
        "pass",
        POSTGRES,
        RELAY,
    ),
    Mutant(
        "mails: one for an act on a series",
        "core/notifications/messages.py",
        "elif row.series_act_id is None:",
        "else:",
        tests=SERIES_MAILS,
    ),
    Mutant(
        "mails: nobody is told of dates that are over",
        "core/notifications/dates.py",
        "event.is_over or row.for_staff or",
        "row.for_staff or",
        tests=SERIES_MAILS,
    ),
    Mutant(
        "mails: an unconfirmed address reads no words of a series",
        "core/notifications/series_mails.py",
        "if not recipient.is_confirmed:",
        "if False:",
        tests=SERIES_MAILS,
    ),
    Mutant(
        "mails: at most thirty files",
        "core/notifications/invitations.py",
        "+ is_published > MOST_FILES",
        "+ is_published > MOST_FILES + 1",
        tests=SERIES_MAILS,
    ),
    Mutant(
        "a decision has its state",
        LIFECYCLE,
        "if expected and before.status not in expected:",
        "if False:",
        tests=DECISIONS,
    ),
    Mutant("a reason belongs to a new status", STATES, "        if given:\n", "        if False:\n", tests=DECISIONS),
    Mutant("a reason is required", STATES, "after.resource.reason_required and not given", "False", tests=DECISIONS),
]

OPEN_TIME = [
    Mutant("hours: past midnight", TIMETABLE, "for day in (today - DAY, today)", "for day in (today,)", tests=HOURS),
    Mutant(
        "hours: the window of the day before",
        TIMETABLE,
        "day, last = local_time(start, self.zone).date() - DAY,",
        "day, last = local_time(start, self.zone).date(),",
        tests=HOURS,
    ),
    Mutant("hours: one's own special days first", TIMETABLE, "(days.of_all, ", "(0, ", tests=HOURS),
    Mutant("hours: shorter special days first", TIMETABLE, ", days.last_day - days.first_day)", ",)", tests=HOURS),
    Mutant("hours: spans that overlap", TIMETABLE, "if span.end <= closes:", "if False:", tests=HOURS),
    Mutant(
        "hours: an end is no start", TIMETABLE, "self.is_open_at(moment - TICK)", "self.is_open_at(moment)", tests=HOURS
    ),
    Mutant("hours: a close in the doubled hour", "core/hours/days.py", "zone, last=True)", "zone)", tests=HOURS),
    Mutant(
        "hours: no opening in a missing hour", "core/hours/clock.py", "if before < after:", "if False:", tests=HOURS
    ),
    Mutant("the grid: from the opening", TIMETABLE, "if spans else None", "if False else None", tests=HOURS),
    Mutant(
        "the grid: an end at the close",
        TIMETABLE,
        "Interval(span.start + TICK, span.end + TICK) if as_end else span",
        "span",
        tests=HOURS,
    ),
    Mutant(
        "the grid: changes of the clock",
        "core/hours/clock.py",
        "for change in _changes(day, zone) if",
        "for change in () if",
        tests=HOURS,
    ),
]

REPEATED = [
    Mutant(
        "series: count counts dates that exist", EXPANSION, "counted += slot is not None", "counted += 1", tests=SERIES
    ),
    Mutant("series: no date in a missing hour", EXPANSION, "    if first is None:\n", "    if False:\n", tests=SERIES),
    Mutant("series: excluded dates", EXPANSION, "if start not in excluded:", "if True:", tests=SERIES),
    Mutant("series: excluded beats added", EXPANSION, "(pattern.rdates) - excluded", "(pattern.rdates)", tests=SERIES),
    Mutant("series: no date at all", EXPANSION, "if not dates:", "if False:", tests=SERIES),
    Mutant("series: the start is in the rule", EXPANSION, "if not hits_start:", "if False:", tests=SERIES),
    Mutant("series: at most so many dates", EXPANSION, "if len(dates) > MOST_DATES:", "if False:", tests=SERIES),
    Mutant("series: not beyond the horizon", EXPANSION, "if _goes_on(", "if False and _goes_on(", tests=SERIES),
    Mutant(
        "series: an end in the doubled hour", EXPANSION, "if that_day and that_day <= until:", "if False:", tests=SERIES
    ),
    Mutant(
        "series: no search without a date", DAYS_OF_RULES, "    if last is None:\n", "    if False:\n", tests=SERIES
    ),
    Mutant("series: the search ends", DAYS_OF_RULES, "if found.date() >= last:", "if False:", tests=SERIES),
    Mutant("series: a number beside none", DAYS_OF_RULES, "_of_one_kind(rule).byday", "rule.byday", tests=SERIES),
    Mutant(
        "series: places in the first week",
        DAYS_OF_RULES,
        "origin = _first_of_period(rule, start)\n    return",
        "origin = start\n    return",
        tests=SERIES,
    ),
]

OF_PERSON = "        quotas.require_person(booking, waiver, now=now)\n"
NOTICE = "        rules.notice_of_owner(before, after, now=act.now, staff={staff})\n"
GAP = "max(first.after, second.before)"

POLICY = [
    Mutant("terms in memory: the version", TERMS, "kept.version == facts.terms_version and ", "", tests=(IN_MEMORY,)),
    Mutant("terms in memory: the first day", TERMS, " and kept.first_day <= first_day", "", tests=(IN_MEMORY,)),
    *(
        Mutant(f"policy: {name} in the list", RULE_LIST, f"    {name},\n", "", tests=POLICIES)
        for name in ("not_too_far_ahead", "not_too_short", "not_too_long", "on_grid", "in_opening_hours")
    ),
    Mutant("policy: exactly the shortest", RULE_LIST, "slot.duration < ", "slot.duration <= ", tests=POLICIES),
    Mutant("policy: exactly the longest", RULE_LIST, "slot.duration > ", "slot.duration >= ", tests=POLICIES),
    Mutant(
        "policy: of a change that takes time",
        CHANGES,
        "        asked |= OF_POLICY\n",
        "        pass\n",
        tests=POLICIES,
    ),
    Mutant("policy: shortening", CHANGES, "        asked.add(not_too_short)\n", "        pass\n", tests=POLICIES),
    Mutant("policy: the notice of a move", LIFECYCLE, NOTICE.format(staff="staff"), "", tests=POLICIES),
    Mutant("policy: the notice of a cancellation", LIFECYCLE, NOTICE.format(staff="act.is_staff"), "", tests=POLICIES),
    Mutant(
        "policy: owners waive nothing",
        LIFECYCLE,
        "Waiver(override if staff else ())",
        "Waiver(override)",
        tests=POLICIES,
    ),
    Mutant(
        "policy: only the named rule is waived",
        RULE_LIST,
        "if name not in self.allowed:",
        "if name is None:",
        tests=POLICIES,
    ),
    Mutant("buffers: checked", TRANSACTIONS, "    require_gaps(booking, waiver)\n", "", tests=POLICIES),
    Mutant("buffers: the larger of the two", CONFLICTS, GAP, "first.after", tests=POLICIES),
    Mutant("buffers: of the second", CONFLICTS, GAP, "second.before", tests=POLICIES),
    Mutant("quotas: checked", TRANSACTIONS, OF_PERSON, "        pass\n", tests=POLICIES),
    Mutant(
        "quotas: under the lock of the user",
        TRANSACTIONS,
        "        locked(User.objects.filter(pk=booking.user.pk)).first()\n",
        "",
        POSTGRES,
        LOCKS,
    ),
    Mutant("quotas: not of itself", QUOTAS, "each.id is None or each.id != booking.id", "True", tests=POLICIES),
    Mutant(
        "closures: named",
        CONFLICTS,
        " or any(kind == Kind.CLOSURE for _, kind in clashes):",
        ":",
        tests=POLICIES,
    ),
    Mutant(
        "closures: behind other clashes",
        CONFLICTS,
        "if len(clashes) >= CLASHES_NAMED or any(",
        "if any(",
        tests=("core/tests/availability/test_searches.py",),
    ),
]

REPORTED = [
    Mutant("reports: closures taken out", COUNTING, "cells.add(start, end, sums.open, sign=-1)", "pass", tests=REPORTS),
    Mutant(
        "reports: closed time is not booked",
        COUNTING,
        "cells.add(start, closed_until, sums.outside_open)",
        "pass",
        tests=REPORTS,
    ),
    Mutant(
        "reports: cut at the edges",
        COUNTING,
        "start, end = max(start, first), min(end, last)",
        "end = min(end, last)",
        tests=REPORTS,
    ),
    Mutant(
        "reports: hours by the local clock",
        CELLS,
        "ticks(part.end), offset // TICK",
        "ticks(part.end), 0",
        tests=REPORTS,
    ),
    Mutant(
        "reports: cancelled late",
        REPORT,
        "ticks(cancelled_at) < LATE_TICKS",
        "ticks(cancelled_at) <= LATE_TICKS",
        tests=REPORTS,
    ),
    Mutant("reports: the latest cancellation", REPORT, 'order_by("-id")', 'order_by("id")', tests=REPORTS),
    Mutant("reports: long bookings", REPORT, "(long_rows, usual_rows)", "(usual_rows,)", tests=REPORTS),
    Mutant("reports: at most so many bookings", REPORT, "if number > MOST_BOOKINGS:", "if False:", tests=REPORTS),
]

OF_DATES = [
    Mutant(
        "dates: a date once",
        SERIES_MIGRATION,
        'fields=("series", "recurrence_id"),',
        'fields=("series", "recurrence_id", "id"),',
        tests=SERIES_GUARD,
    ),
    Mutant(
        "dates: the lock of the series of a booking",
        HELD,
        'locked(Series.objects.select_related("resource").filter(bookings=booking.pk)).first()',
        'Series.objects.select_related("resource").filter(bookings=booking.pk).first()',
        POSTGRES,
        SERIES_GUARD,
    ),
    Mutant(
        "dates: the lock of the series",
        HELD,
        'locked(Series.objects.select_related("resource").filter(pk=series.pk)).first()',
        'Series.objects.select_related("resource").filter(pk=series.pk).first()',
        POSTGRES,
        SERIES_GUARD,
    ),
    Mutant(
        "dates: the lock of the dates",
        HELD,
        "rows = list(locked(Booking.objects.filter(which, series=series)))",
        "rows = list(Booking.objects.filter(which, series=series))",
        POSTGRES,
        SERIES_GUARD,
    ),
    Mutant(
        "dates: the lock of the user",
        VERDICTS,
        "        locked(User.objects.filter(pk=user.pk)).first()\n",
        "        pass\n",
        POSTGRES,
        SERIES_GUARD,
    ),
    Mutant(
        "dates: the suggestions after the locks",
        BOOK_SERIES,
        "now=act.now, one_by_one=True)\n",
        "now=act.now, one_by_one=True)\n        ground.suggest(wishes)\n",
        POSTGRES,
        SERIES_GUARD,
    ),
    Mutant(
        "dates: released before the move",
        REWRITING,
        "    if released:\n",
        "    if False:\n",
        tests=SERIES_VERBS,
    ),
    Mutant(
        "dates: no overlap of its own, new",
        BOOK_SERIES,
        "        require_apart(date.slot for date in found.dates)\n",
        "",
        tests=SERIES_ALONE,
    ),
    Mutant(
        "dates: no overlap of its own, moved",
        CHANGING,
        "        require_apart(booking.slot for booking in moving if booking.resource_id == pk)\n",
        "        pass\n",
        tests=SERIES_ALONE,
    ),
    Mutant(
        "dates: the look for what is taken",
        GROUND,
        "        self._require_free(wish.booking)\n",
        "",
        tests=SERIES_VERBS,
    ),
    Mutant("dates: gaps", GROUND, "            self._require_gaps(wish)\n", "", tests=SERIES_ALONE),
    Mutant("dates: what the person may", GROUND, "            self._require_person(wish)\n", "", tests=SERIES_ALONE),
    Mutant(
        "dates: gaps to its own dates",
        GROUND,
        "*near(self.taken[booking.resource_id], around), *near(ours, around)",
        "*near(self.taken[booking.resource_id], around), *()",
        tests=SERIES_ALONE,
    ),
    Mutant(
        "dates: quotas count its own dates",
        GROUND,
        "[*self.owned.near(window), *self.own.near(window)]",
        "self.owned.near(window)",
        tests=SERIES_ALONE,
    ),
    Mutant(
        "dates: quotas of what has not ended",
        GROUND,
        "self._coming(limit) < limit.limit",
        "self._coming(limit) <= limit.limit",
        tests=(*SERIES_GUARD, *SERIES_ALONE),
    ),
    Mutant(
        "dates: each date meets those before it alone",
        BOOK_SERIES,
        "now=act.now, one_by_one=True",
        "now=act.now, one_by_one=False",
        tests=SERIES_ALONE,
    ),
    Mutant(
        "dates: dates that move meet all others",
        CHANGING,
        "now=act.now, one_by_one=False",
        "now=act.now, one_by_one=True",
        tests=SERIES_ALONE,
    ),
    Mutant(
        "dates: the replaced rows are in nobody's way",
        GROUND,
        "            if pk not in replaced:\n",
        "            if True:\n",
        tests=SERIES_VERBS,
    ),
    Mutant(
        "dates: nothing is left where all are refused",
        CHOICES,
        "return free > 0 and (",
        "return (",
        tests=SERIES_VERBS,
    ),
    Mutant(
        "dates: what is sent as it was is about no other date",
        BOOK_SERIES,
        "for name, value in sent.items() if value == getattr(named, name)",
        "for name, value in sent.items() if value is None",
        tests=SERIES_EDITS,
    ),
    Mutant(
        "dates: the past is refused before the look for what is taken",
        VERDICTS,
        "        if wish.error is None:\n            try:",
        "        if False:\n            try:",
        tests=(*SERIES_EDITS, *SERIES_ALONE),
    ),
]

MUTANTS = [
    *GUARDS,
    *SLOT_RULES,
    *OPEN_TIME,
    *REPEATED,
    *FREE_AND_IN_SERVICE,
    *WHOLE_CHANGE,
    *STATUS,
    *HISTORY,
    *ACTS,
    *POLICY,
    *REPORTED,
    *OF_DATES,
]
