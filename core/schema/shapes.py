"""The shapes of errors, and of the words for flags."""

from typing import Any

SLOT = {"$ref": "#/components/schemas/Slot"}
MESSAGES = {"type": "array", "items": {"type": "string"}, "minItems": 1}
WORDS = {
    "error": {"type": "string", "minLength": 1, "description": "A short title."},
    "code": {
        "type": "string",
        "pattern": "^[a-z][a-z0-9]*(_[a-z0-9]+)*$",
        "description": "What happened, for machines: it does not change.",
    },
    "detail": {"type": "string", "minLength": 1, "description": "What a person should read, and what to do."},
}

PROBLEM = {
    "type": "object",
    "description": "What every error is: three strings.",
    "properties": WORDS,
    "required": list(WORDS),
}
INVALID = {
    "type": "object",
    "description": "Bad input: each faulty field's own key has its messages, `non_field_errors` those about several.",
    "properties": {**WORDS, "non_field_errors": MESSAGES},
    "required": list(WORDS),
    "additionalProperties": MESSAGES,
}
WORD, DAY = {"type": "string"}, {"type": "string", "format": "date"}
MINUTES = ID = {"type": "integer"}
MOMENT = {"type": "string", "format": "date-time"}
MOMENT_OR_NULL = {"type": ["string", "null"], "format": "date-time"}
WORD_OR_MESSAGES = {"anyOf": [WORD, MESSAGES]}
CLOCKS = {"type": "object", "properties": {"opens": WORD, "closes": WORD}, "required": ["opens", "closes"]}
OWN_FIELDS = {"id": ID, "resource_name": WORD, "start_time": MOMENT, "end_time": MOMENT}
OWN = {"type": "object", "properties": OWN_FIELDS, "required": list(OWN_FIELDS)}
# The facts of the rules that staff set, each with its code.
FACTS = {
    "notice_minutes": {**MINUTES, "description": "`start_too_soon`: how far ahead a booking of the resource starts."},
    "advance_days": {**MINUTES, "description": "`too_far_ahead`: how far ahead it ends, in days of 24 hours."},
    "min_minutes": {**MINUTES, "description": "`too_short`: the shortest booking."},
    "max_minutes": {**MINUTES, "description": "`too_long`: the longest booking."},
    "grid_minutes": {**MINUTES, "description": "`off_grid`: bookings start and end every so many minutes."},
    "nearest_starts": {"type": "array", "items": MOMENT, "description": "`off_grid`: the nearest starts, at most two."},
    "nearest_ends": {
        "type": "array",
        "items": MOMENT,
        "description": "`off_grid`: the nearest ends, where the start is right.",
    },
    "time_zone": {
        **WORD_OR_MESSAGES,
        "description": "`off_grid`, `outside_opening_hours`: the time zone of the resource.",
    },
    "day": {**DAY, "description": "`outside_opening_hours`: the day whose hours follow."},
    "hours": {"type": "array", "items": CLOCKS, "description": "`outside_opening_hours`: the hours of that day."},
    "reason": {"type": ["string", "array"], "items": WORD, "description": "`closed`: why; else messages."},
    "until": {**MOMENT_OR_NULL, "description": "`closed`: when it opens again."},
    "gap_minutes": {**MINUTES, "description": "`too_close`: the gap that is needed."},
    "neighbour": {**SLOT, "description": "`too_close`: the slot of the booking that is too close."},
    "booking": {**OWN, "description": "`overlaps_own`: the other booking of the person."},
    "kind": {**WORD, "description": "`quota_exceeded`: what counts."},
    "period": {"type": ["string", "null"], "description": "`quota_exceeded`: in which span it counts."},
    "limit": {**MINUTES, "description": "`quota_exceeded`: how much is allowed."},
    "used": {**MINUTES, "description": "`quota_exceeded`: how much is used."},
    "dates": {
        "type": "array",
        "items": {"$ref": "#/components/schemas/DateVerdict"},
        "description": "`dates_refused`: the refused dates, each with its own `code`.",
    },
    "part": {**WORD, "description": "`rule_not_supported`: the part of the rule that is wrong or missing."},
    "frees_at": {**MOMENT_OR_NULL, "description": "`quota_exceeded`: when there is more."},
}
INVALID_EXCEPTION = {
    **INVALID,
    "description": "Bad input to an exception; where it clashes with another one, with that one.",
    "properties": {
        **INVALID["properties"],
        "exception": {
            "type": "object",
            "properties": {"id": ID, "first_day": DAY, "last_day": DAY},
            "required": ["id", "first_day", "last_day"],
        },
    },
}
SLOT_TAKEN = {
    "type": "object",
    "description": "Bad input to a booking, with the facts of the rule that it breaks; where the slot is taken, with "
    "what is in the way and what is free.",
    "properties": {
        **WORDS,
        "non_field_errors": MESSAGES,
        "conflicts": {"type": "array", "items": SLOT, "description": "Up to three slots that are in the way."},
        "suggestion": {
            "anyOf": [SLOT, {"type": "null"}],
            "description": "The first free slot of the same length at or after the wanted start.",
        },
        "suggestions": {"type": "array", "items": {"$ref": "#/components/schemas/Suggestion"}},
        **FACTS,
    },
    "required": list(WORDS),
    "additionalProperties": MESSAGES,
}
PLACE = {"anyOf": [{"type": "integer"}, MESSAGES]}
INVALID_BULK = {
    **SLOT_TAKEN,
    "description": "Bad input; with `all_or_nothing` also the first refusal of an entry, with what the rule says.",
    "properties": {
        **SLOT_TAKEN["properties"],
        "id": {**PLACE, "description": "The booking that was refused, where the body has `ids`."},
        "index": {**PLACE, "description": "The place of the entry that was refused, where the body has `bookings`."},
    },
}
SUGGESTED = {
    "kind": {"enum": ["later", "earlier", "elsewhere"]},
    "resource": {"type": "integer"},
    "resource_name": {"type": "string"},
    "start_time": {"type": "string", "format": "date-time"},
    "end_time": {"type": "string", "format": "date-time"},
}
SUGGESTION = {"type": "object", "properties": SUGGESTED, "required": list(SUGGESTED)}
IN_THE_WAY = {
    "type": "object",
    "description": "What is stored contradicts the call; where bookings are in the way of a closure, which ones.",
    "properties": {
        **WORDS,
        "conflicts": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Clash"},
            "description": "The bookings and closures in the way.",
        },
    },
    "required": list(WORDS),
}
STALE = {
    "type": "object",
    "description": "Somebody was faster.",
    "properties": {**WORDS, "current": {"type": "object", "description": "What is stored now."}},
    "required": [*WORDS, "current"],
}
FLAG_WORDS = (
    "[TtYyFfNn10]|[Tt][Rr][Uu][Ee]|[Yy][Ee][Ss]|[Oo][Nn]|"  # the pattern knows no "in any case"
    "[Ff][Aa][Ll][Ss][Ee]|[Nn][Oo]|[Oo][Ff][Ff]"
)
FLAG_WORD = {
    "description": "A flag as a form writes it, in any case: `true`, `yes`, `on`, `t`, `y` or `1`; `false`, `no`, "
    "`off`, `f`, `n` or `0`.",
    "anyOf": [{"type": "string", "pattern": f"^({FLAG_WORDS})$"}, {"enum": [1, 0]}],
}

SHAPES: dict[str, Any] = {
    "Problem": PROBLEM,
    "Invalid": INVALID,
    "InvalidBooking": SLOT_TAKEN,
    "InvalidBulk": INVALID_BULK,
    "InvalidException": INVALID_EXCEPTION,
    "InTheWay": IN_THE_WAY,
    "Suggestion": SUGGESTION,
    "Stale": STALE,
    "FlagWord": FLAG_WORD,
}
