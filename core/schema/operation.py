"""The words in which an operation of the API is declared."""

from dataclasses import dataclass, field
from typing import Any

from core.api.query import QueryParameters

Shape = Any  # a serializer class, or a JSON Schema as a dict
JSON, ICS = "application/json", "text/calendar"

EVERYBODY, THOSE_SIGNED_IN = "everybody", "whoever is signed in"


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: what it means, its shape (None: no body), examples, headers, and the calls that take its id."""

    says: str
    shape: Shape = None
    example: Any = None
    examples: dict[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    many: bool = False
    links: tuple[str, ...] = ()
    media_types: tuple[str, ...] = (JSON,)


@dataclass(frozen=True, slots=True)
class Body:
    """What a call sends: its shape, examples, and a JSON Schema of what is taken besides, as JSON."""

    shape: Shape
    examples: dict[str, Any]
    partial: bool = False
    besides: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An address and a method.

    Attributes:
        id: The name that clients generated from the schema give it.
        who: Who may call it; `signed_in` follows from `problems`.
        problems: The codes of the errors that it answers, beside those that follow from the rest.
        filters: Where its query parameters are declared.
        parameters: Names of `core.schema.parameters` that it takes besides.
        limited: Whether a limit holds for it.
    """

    id: str
    tag: str
    summary: str
    description: str
    who: str
    answers: dict[int, Answer]
    problems: tuple[str, ...] = ()
    body: Body | None = None
    filters: type[QueryParameters] | None = None
    parameters: tuple[str, ...] = ()
    limited: bool = True
    anonymous: bool = False


ADDRESSES, BOOKINGS, RESOURCES, FREE_TIME = "Start here", "Bookings", "Resources", "Free time"
CALENDARS, MESSAGES = "Calendars", "Messages"
SIGN_IN, JWT_SIGN_IN, ACCOUNT, ACCOUNTS, PICTURE = (
    "Sign-in with a token",
    "Sign-in with JSON Web Tokens",
    "Own account",
    "Accounts",
    "Profile picture",
)

LIST = ("limit", "cursor", "count")
LIST_HEADERS = ("ETag", "Link", "X-Total-Count")
NOT_MODIFIED = Answer("Nothing has changed since the answer whose tag was sent in `If-None-Match`.", headers=("ETag",))
