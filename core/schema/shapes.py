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
MINUTES = {"type": "integer", "minimum": 0}
MOMENT = {"type": "string", "format": "date-time"}
MOMENTS = {"type": "array", "items": MOMENT}
HOURS = {
    "type": "object",
    "properties": {"opens": {"type": "string"}, "closes": {"type": "string"}},
    "required": ["opens", "closes"],
}
# What the refusals of policies, opening hours and quotas tell beside their sentences.
FACTS = {
    "notice_minutes": {**MINUTES, "description": "How far ahead a booking of the resource must start."},
    "advance_days": {"type": "integer", "description": "How many days ahead a booking of the resource may end."},
    "min_minutes": {**MINUTES, "description": "The length of the shortest booking."},
    "max_minutes": {**MINUTES, "description": "The length of the longest booking."},
    "grid_minutes": {**MINUTES, "description": "Bookings start and end every so many minutes."},
    "nearest_starts": {**MOMENTS, "description": "The starts on the grid around the wanted one."},
    "nearest_ends": {**MOMENTS, "description": "The ends on the grid around the wanted one, where the end is wrong."},
    "day": {"type": "string", "format": "date", "description": "The local day that `hours` are about."},
    "hours": {"type": "array", "items": HOURS, "description": "The opening hours of that day; empty: closed."},
    "time_zone": {
        "anyOf": [{"type": "string"}, MESSAGES],
        "description": "Whose clock the hours and the grid are by.",
    },
    "reason": {"anyOf": [{"type": "string"}, MESSAGES], "description": "Why the resource is closed."},
    "until": {"anyOf": [MOMENT, {"type": "null"}], "description": "When it opens again; null: nobody knows."},
    "gap_minutes": {**MINUTES, "description": "The gap that the neighbouring booking needs."},
    "neighbour": {**SLOT, "description": "When that booking is."},
    "booking": {"type": "object", "description": "The other booking of the person at that time."},
    "kind": {"type": "string", "description": "What the quota counts."},
    "period": {"type": ["string", "null"], "description": "The period of the quota; null for active bookings."},
    "limit": {"type": "integer", "description": "How much the quota allows."},
    "used": {"type": "integer", "description": "How much of it is used, in bookings or minutes."},
    "frees_at": {"anyOf": [MOMENT, {"type": "null"}], "description": "When the quota allows more."},
}
SLOT_TAKEN = {
    "type": "object",
    "description": "Bad input to a booking; where the slot is taken, with what is in the way and what is free. A rule "
    "of the resource, such as its opening hours, tells its values.",
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
SUGGESTED = {
    "kind": {"enum": ["later", "earlier", "elsewhere"]},
    "resource": {"type": "integer"},
    "resource_name": {"type": "string"},
    "start_time": {"type": "string", "format": "date-time"},
    "end_time": {"type": "string", "format": "date-time"},
}
SUGGESTION = {"type": "object", "properties": SUGGESTED, "required": list(SUGGESTED)}
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
    "Suggestion": SUGGESTION,
    "Stale": STALE,
    "FlagWord": FLAG_WORD,
}
