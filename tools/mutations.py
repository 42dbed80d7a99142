"""What `make mutants` takes out, one after the other: every guard and every rule of a booking.

The rules are numbered as in the README. The texts follow the code to the letter.
"""

from dataclasses import dataclass

SQLITE, POSTGRES = "SQLite", "PostgreSQL"

# The quick and exact ones first: a run ends at its first failure.
RULES = ("core/tests/test_lifecycle_rules.py", "core/tests/test_lifecycle_*.py", "core/tests/test_bookings_*.py")
LOCKS = ("core/tests/test_lifecycle_locks.py", "core/tests/test_guarantee_parallel.py")
GUARD = ("core/tests/test_guarantee_direct.py", "core/tests/test_guarantee_schema.py", "core/tests/test_constraints.py")

LIFECYCLE = "core/lifecycle.py"
VERDICTS = "core/rules.py"
CONSTRAINTS = "core/constraints.py"
QUERYSETS = "core/querysets.py"
CHOICES = "core/choices.py"
HORIZON = "core/horizon.py"
MIGRATION = "core/migrations/0001_initial.py"
SETTINGS = "booking_system_api/settings.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One thing taken out: `old` in the file becomes `new`, and one of the tests must notice on that database."""

    name: str
    path: str
    old: str
    new: str
    database: str = SQLITE
    tests: tuple[str, ...] = RULES


GUARDS = [
    Mutant(
        "the row lock",
        QUERYSETS,
        'queryset.select_for_update(no_key=True, of=("self",)).order_by("pk")',
        'queryset.order_by("pk")',
        POSTGRES,
        LOCKS,
    ),
    Mutant(
        "the row lock: the order of two",
        QUERYSETS,
        'select_for_update(no_key=True, of=("self",)).order_by("pk")',
        'select_for_update(no_key=True, of=("self",)).order_by("-pk")',
        POSTGRES,
        LOCKS,
    ),
    Mutant(
        "the row lock: of the booking",
        LIFECYCLE,
        "found = locked(Booking.objects.in_full())",
        "found = Booking.objects.in_full()",
        POSTGRES,
        LOCKS,
    ),
    Mutant(
        "the row lock: of a resource deleted",
        LIFECYCLE,
        "    locked(Resource.objects.filter(pk=resource.pk)).first()\n",
        "",
        POSTGRES,
        LOCKS,
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
        "schema_editor.deferred_sql.extend(self._triggers(model, schema_editor))",
        "self._triggers(model, schema_editor)",
        SQLITE,
        GUARD,
    ),
    Mutant(
        "the SQLite triggers: after a rebuild",
        CONSTRAINTS,
        "schema_editor.deferred_sql.extend(self._triggers(model, schema_editor))",
        "if not model._meta.db_table.startswith('new__'):\n"
        "            schema_editor.deferred_sql.extend(self._triggers(model, schema_editor))",
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
        LIFECYCLE,
        "error = as_booking_error(refusal)",
        "error = None",
        SQLITE,
        RULES,
    ),
    Mutant(
        "a refusal of the database explained with the clash",
        LIFECYCLE,
        'wanted = getattr(refusal, "booking", None)',
        "wanted = None",
        POSTGRES,
        LOCKS,
    ),
]

RULES_1_AND_2 = [
    Mutant(
        "1 lead time: of a new booking",
        LIFECYCLE,
        "    if not as_record:\n        require_lead_time(start_time, now=now)\n",
        "",
    ),
    Mutant(
        "1 lead time: for staff too", LIFECYCLE, "    if not as_record:\n", "    if not (as_record or by.is_staff):\n"
    ),
    Mutant("1 lead time: not for a record", LIFECYCLE, "    if not as_record:\n", "    if True:\n"),
    Mutant("1 lead time: exactly is enough", VERDICTS, "start < now + lead_time():", "start <= now + lead_time():"),
    Mutant("1 lead time: too soon", VERDICTS, "if start < now + lead_time():", "if False:"),
    Mutant("1 the past says so", VERDICTS, "if start < now:", "if False:"),
    Mutant("1 the past: now is not past", VERDICTS, "if start < now:", "if start <= now:"),
    Mutant(
        "1 lead time: of a start that is moved",
        LIFECYCLE,
        "if not staff and after.start_time != before.start_time:",
        "if False:",
    ),
    Mutant(
        "1 lead time: not for staff who move",
        LIFECYCLE,
        "if not staff and after.start_time != before.start_time:",
        "if after.start_time != before.start_time:",
    ),
    Mutant(
        "1 lead time: not where only the end is moved",
        LIFECYCLE,
        "if not staff and after.start_time != before.start_time:",
        "if not staff:",
    ),
    Mutant("2 order: of a new booking", LIFECYCLE, "    require_order(slot)\n", ""),
    Mutant("2 order: of a change", LIFECYCLE, "        require_order(after.slot)\n", ""),
    Mutant("2 order: the same moment", VERDICTS, "if slot.start >= slot.end:", "if slot.start > slot.end:"),
    Mutant("five years: of a new booking", LIFECYCLE, "    require_near(end_time, now=now)\n", ""),
    Mutant(
        "five years: of a change",
        LIFECYCLE,
        "        if after.end_time != before.end_time:\n            require_near(after.end_time, now=now)\n",
        "",
    ),
    Mutant("five years: exactly is allowed", VERDICTS, "if end > latest_end(now):", "if end >= latest_end(now):"),
    Mutant("five years: 1826 days", HORIZON, "timedelta(days=1826)", "timedelta(days=1827)"),
]

FREE = "        require_free(after)\n"
NEEDS_SLOT = "if after.blocks and (moved or not before.blocks):"

RULES_3_AND_4 = [
    Mutant(
        "3 free slot: of a new booking",
        LIFECYCLE,
        "    if booking.blocks:\n        require_free(booking)\n",
        "",
    ),
    Mutant("3 free slot: only where it blocks", LIFECYCLE, "    if booking.blocks:\n", "    if True:\n"),
    Mutant("3 free slot: of a change", LIFECYCLE, FREE, ""),
    Mutant("3 free slot: of a move", LIFECYCLE, FREE, f"        if not before.blocks:\n    {FREE}"),
    Mutant("3 free slot: of a revival", LIFECYCLE, FREE, f"        if before.blocks:\n    {FREE}"),
    Mutant("3 free slot: a move that does not block", LIFECYCLE, NEEDS_SLOT, "if moved or not before.blocks:"),
    Mutant("3 free slot: not of itself", VERDICTS, "except_id=booking.pk, most=", "except_id=None, most="),
    Mutant("3 three clashes", VERDICTS, "CLASHES_NAMED = 3", "CLASHES_NAMED = 4"),
    Mutant("3 clashes: touching after", QUERYSETS, "if taken.start < slot.end]", "if taken.start <= slot.end]"),
    Mutant("3 clashes: touching before", QUERYSETS, "filter(end_time__gt=moment)", "filter(end_time__gte=moment)"),
    Mutant(
        "4 out of service: a new booking",
        LIFECYCLE,
        "    if not resource.is_available:\n        raise errors.ResourceOutOfService\n",
        "",
    ),
    Mutant(
        "4 out of service: for staff too",
        LIFECYCLE,
        "    if not resource.is_available:",
        "    if not (resource.is_available or by.is_staff):",
    ),
    Mutant("4 out of service: a change", LIFECYCLE, "if not after.resource.is_available:", "if False:"),
    Mutant(
        "4 out of service: a move",
        LIFECYCLE,
        "if not after.resource.is_available:",
        "if not before.blocks and not after.resource.is_available:",
    ),
    Mutant(
        "4 out of service: a revival",
        LIFECYCLE,
        "if not after.resource.is_available:",
        "if before.blocks and not after.resource.is_available:",
    ),
    Mutant(
        "4 out of service: a change by staff",
        LIFECYCLE,
        "if not after.resource.is_available:",
        "if not staff and not after.resource.is_available:",
    ),
    Mutant("4 out of service: confirming what is there", LIFECYCLE, NEEDS_SLOT, "if after.blocks:"),
]

RULE_5 = [
    Mutant(
        "5 whole change: another resource is a move",
        LIFECYCLE,
        "moved = after.slot != before.slot or after.resource_id != before.resource_id",
        "moved = after.slot != before.slot",
    ),
    Mutant(
        "5 whole change: another time is a move",
        LIFECYCLE,
        "moved = after.slot != before.slot or after.resource_id != before.resource_id",
        "moved = after.resource_id != before.resource_id",
    ),
    Mutant(
        "5 whole change: the start alone is a move",
        LIFECYCLE,
        "moved = after.slot != before.slot or",
        "moved = after.end_time != before.end_time or",
    ),
    Mutant(
        "5 whole change: the end alone is a move",
        LIFECYCLE,
        "moved = after.slot != before.slot or",
        "moved = after.start_time != before.start_time or",
    ),
    Mutant(
        "5 unchanged is not checked again",
        LIFECYCLE,
        "moved = after.slot != before.slot or after.resource_id != before.resource_id",
        "moved = True",
    ),
    Mutant("5 a revival is checked", LIFECYCLE, NEEDS_SLOT, "if after.blocks and moved:"),
    Mutant("5 millisecond: less is no move", VERDICTS, "abs(wanted - stored) < SAME_MOMENT", "wanted == stored"),
    Mutant(
        "5 millisecond: one is a move",
        VERDICTS,
        "abs(wanted - stored) < SAME_MOMENT",
        "abs(wanted - stored) <= SAME_MOMENT",
    ),
    Mutant(
        "5 millisecond: earlier too",
        VERDICTS,
        "abs(wanted - stored) < SAME_MOMENT",
        "wanted - stored < SAME_MOMENT",
    ),
    Mutant(
        "5 the notes that are not named stay",
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
BACK = "back_to_pending = moved and approval and current == BookingStatus.CONFIRMED"

RULE_6 = [
    *(
        Mutant(f"6 way: {name} {'open' if new == 'True' else 'shut'}", CHOICES, way + old, way + new)
        for name, (way, old, news) in WAYS.items()
        for new in news
    ),
    Mutant(
        "6 way: staying",
        CHOICES,
        "if wanted == self:\n            return True\n",
        "if wanted == self:\n            return False\n",
    ),
    Mutant("6 way: nothing else", CHOICES, "ways.get((self, wanted), False)", "ways.get((self, wanted), True)"),
    Mutant(
        "6 ways: owners keep to them",
        VERDICTS,
        "if not current.owner_may_become(wanted, requires_approval=approval):",
        "if False:",
    ),
    Mutant("6 ways: staff do not", VERDICTS, "    if staff:\n        return wanted\n", ""),
    Mutant("6 back to pending", VERDICTS, BACK, "back_to_pending = False"),
    Mutant("6 back to pending: where moved", VERDICTS, BACK, BACK.replace("moved and ", "")),
    Mutant("6 back to pending: with approval", VERDICTS, BACK, BACK.replace("approval and ", "")),
    Mutant("6 back to pending: of confirmed", VERDICTS, BACK, "back_to_pending = moved and approval"),
    Mutant(
        "6 back to pending: cancelling wins",
        VERDICTS,
        "if back_to_pending and wanted in BookingStatus.blocking():",
        "if back_to_pending:",
    ),
    Mutant(
        "6 back to pending: the resource it then is on",
        VERDICTS,
        "approval = after.resource.requires_approval",
        "approval = before.resource.requires_approval",
    ),
    Mutant(
        "6 first status: where none is asked",
        CHOICES,
        "return cls.PENDING if requires_approval else cls.CONFIRMED",
        "return cls.PENDING",
    ),
    Mutant(
        "6 first status: with approval",
        CHOICES,
        "return cls.PENDING if requires_approval else cls.CONFIRMED",
        "return cls.CONFIRMED",
    ),
    Mutant("6 first status: what an owner may ask", LIFECYCLE, "if wanted not in allowed:", "if False:"),
    Mutant(
        "6 first status: pending anywhere", LIFECYCLE, "allowed = {BookingStatus.PENDING, first}", "allowed = {first}"
    ),
    Mutant("6 first status: staff ask for any", LIFECYCLE, "if not (as_record or by.is_staff):", "if not as_record:"),
]

ENDED_FOR_CHANGE = "if not staff and before.end_time <= now:"
ENDED_FOR_CANCEL = "if not by.is_staff and before.end_time <= now:"

RULE_7 = [
    Mutant("7 history: change", LIFECYCLE, ENDED_FOR_CHANGE, "if False:"),
    Mutant("7 history: change at the end", LIFECYCLE, ENDED_FOR_CHANGE, ENDED_FOR_CHANGE.replace("<=", "<")),
    Mutant("7 history: staff change it", LIFECYCLE, ENDED_FOR_CHANGE, "if before.end_time <= now:"),
    Mutant("7 history: begun is not ended", LIFECYCLE, ENDED_FOR_CHANGE, "if not staff and before.start_time <= now:"),
    Mutant("7 history: cancel", LIFECYCLE, ENDED_FOR_CANCEL, "if False:"),
    Mutant("7 history: cancel at the end", LIFECYCLE, ENDED_FOR_CANCEL, ENDED_FOR_CANCEL.replace("<=", "<")),
    Mutant("7 history: staff cancel it", LIFECYCLE, ENDED_FOR_CANCEL, "if before.end_time <= now:"),
    Mutant("7 history: cancelled before stays", LIFECYCLE, "    if not before.blocks:\n        return before\n", ""),
]

MUTANTS = [*GUARDS, *RULES_1_AND_2, *RULES_3_AND_4, *RULE_5, *RULE_6, *RULE_7]
