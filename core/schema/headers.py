"""The headers of requests and responses."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from core.api.query import MOST_COUNTED


def header(name: str, description: str, schema: dict[str, Any] | None = None) -> OpenApiParameter:
    """A header of a request."""
    return OpenApiParameter(name, schema or {"type": "string"}, OpenApiParameter.HEADER, description=description)


IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "A word of your own for this booking, such as a UUID: 1 to 255 visible ASCII characters. Another booking needs "
    "another one.",
    {"type": "string", "pattern": "^[!-~]{1,255}$"},
)
IF_MATCH = header(
    "If-Match", "The `ETag` of the version that the change is about, in its double quotes; `*` or none: of any."
)
IF_NONE_MATCH = header(
    "If-None-Match", "The `ETag` of the answer that the caller has, in its double quotes; 304 when it is still good."
)


def shown(description: str, example: object, *, required: bool = False, **schema: object) -> dict[str, Any]:
    """A header of a response."""
    said = {"description": description, "schema": {"type": "string", **schema}, "example": example}
    return {**said, "required": True} if required else said


# The headers of responses, which the operations refer to by name.
HEADERS = {
    "X-Request-ID": shown(
        "The name of this call in our log: the one sent along, when it is 8 to 64 letters, digits, dots, dashes or "
        "underscores, else a new one.",
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        pattern="^[A-Za-z0-9._-]{8,64}$",
    ),
    "RateLimit": shown(
        "What is left of the limit with the least left: `r` calls, and `t` seconds until there are more.",
        '"user";r=1199;t=60',
    ),
    "RateLimit-Policy": shown("The limit of `RateLimit`: `q` calls in `w` seconds.", '"user";q=1200;w=60'),
    "Retry-After": shown("How many seconds to wait.", 42, required=True, type="integer", minimum=1),
    "Link": shown(
        "The neighbours of a page (RFC 8288): `next`, `prev`, `first`. Follow them as they are.",
        '<https://booking.example.org/api/bookings/?limit=20&cursor=WyJhIl0>; rel="next"',
    ),
    "X-Total-Count": shown(
        f"How many there are in all; with `count=true`, unless there are more than {MOST_COUNTED}.",
        137,
        type="integer",
        minimum=0,
        maximum=MOST_COUNTED,
    ),
    "X-No-Longer-Fit": shown(
        "After a deletion, what `no_longer_fit` is in the answers to other writes: how many coming bookings the rules "
        "would refuse now.",
        2,
        type="integer",
        minimum=0,
    ),
    "ETag": shown(
        "The version of what is shown: for `If-None-Match`, and with a single object for `If-Match`. A list that is "
        "streamed has none.",
        '"5f2b8c0d9e1a7b3c4d6e-0f1e2d3c4b5a"',
        pattern='^"[^"]+"$',
    ),
    "Location": shown(
        "Where it can be read from now on.",
        "https://booking.example.org/api/bookings/41/",
        required=True,
        format="uri-reference",
    ),
    "Idempotent-Replayed": shown(
        "That this is the first answer to this `Idempotency-Key` again.", "true", enum=["true"]
    ),
    "Accept-Encoding": shown("After a compressed body: `identity`, which stands for an uncompressed one.", "identity"),
    "WWW-Authenticate": shown("How to sign in.", "Token", required=True),
}
