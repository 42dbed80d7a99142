"""Entity tags (RFC 9110, section 8.8.3): nothing twice over the wire, and no lost updates.

The tag of a single object has two parts: one of what is stored in its row, one of what is shown beside it and lives
elsewhere or changes by itself. A reader's copy is fresh while both are the same; a writer is refused only when the
stored part has changed.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import StaleVersion

# An element of a list of tags, with the comma behind it; an empty one means nothing (RFC 9110, section 5.6.1.2).
ELEMENT = re.compile(r'\s*(?:(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*)?(?:,|\Z)')
NO_TAGS = 'If-Match and If-None-Match take * or tags in double quotes, such as "abc", "def".'
STORED_LENGTH, LIVE_LENGTH = 20, 12


def digest(shown: object, length: int) -> str:
    """A short word for what is shown."""
    return hashlib.sha256(orjson.dumps(shown, default=str, option=orjson.OPT_UTC_Z)).hexdigest()[:length]


def tag_of(shown: Mapping[str, Any], live: Collection[str]) -> str:
    """The tag of a single object.

    Args:
        shown: The object as the API shows it.
        live: The names of what is not stored in its row.
    """
    stored = {name: value for name, value in shown.items() if name not in live}
    beside = {name: value for name, value in shown.items() if name in live}
    return f'"{digest(stored, STORED_LENGTH)}-{digest(beside, LIVE_LENGTH)}"'


def tags_in(header: str) -> list[tuple[bool, str]]:
    """The tags of an `If-Match` or `If-None-Match` header: whether each is weak, and what is between its quotes.

    Raises:
        ParseError: When it is no list of tags.
    """
    found, position = [], 0
    while position < len(header):
        match = ELEMENT.match(header, position)
        if match is None:
            raise ParseError(NO_TAGS)
        if match[2] is not None:
            found.append((bool(match[1]), match[2]))
        position = match.end()
    if not found:
        raise ParseError(NO_TAGS)
    return found


def guard(
    request: Request, show: Callable[[Any], Mapping[str, Any]], live: Collection[str]
) -> Callable[[Any], None] | None:
    """What to call with the locked row before it is written; None where the caller asks for no such care.

    Args:
        request: The write, perhaps with `If-Match`.
        show: How a row is shown.
        live: The names of what is not stored in it.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        return None
    # Strong comparison (RFC 9110, section 13.1.1): a weak tag never matches.
    wanted = {opaque[:STORED_LENGTH] for weak, opaque in tags_in(header) if not weak}

    def check(row: object) -> None:
        current = show(row)
        tag = tag_of(current, live)
        if tag[1 : STORED_LENGTH + 1] not in wanted:
            raise StaleVersion(current, tag)

    return check


def is_fresh(request: Request | HttpRequest, tag: str) -> bool:
    """True if the reader sent the tag in `If-None-Match`, so that the answer is a 304."""
    unchanged = get_conditional_response(request, etag=tag)
    return unchanged is not None and unchanged.status_code == 304


def answer_unless_fresh(
    request: Request | HttpRequest, tag: str, answer: Callable[[], HttpResponse], **headers: str
) -> HttpResponse:
    """The answer with its tag, or a 304 without ever making the answer.

    Args:
        request: Of a reader.
        tag: The entity tag of the answer, in its quotes.
        answer: Makes the answer.
        headers: Further headers of both, with `_` for `-`.
    """
    fresh = is_fresh(request, tag)
    response = HttpResponse(status=304) if fresh else answer()
    if fresh:
        del response.headers["Content-Type"]
    for name, value in {"ETag": tag, **headers}.items():
        response.headers[name.replace("_", "-")] = value
    return response


def with_tag(request: Request, response: Response, tag: str) -> Response:
    """The response with its tag, or a 304 where the reader has it already. Only JSON answers carry tags."""
    if getattr(request, "accepted_renderer", None) is None or request.accepted_renderer.format != "json":
        return response
    if is_fresh(request, tag):
        response = Response(status=304, headers=dict(response.headers))
    response.headers["ETag"] = tag
    return response


def with_tag_of_body(request: Request, response: Response) -> Response:
    """The same for a list, whose tag is computed from its rendered body and what its headers say of it."""

    def tag(rendered: Response) -> Response | None:
        about = rendered.headers.get("Link", "") + rendered.headers.get("X-Total-Count", "")
        word = hashlib.sha256(rendered.content + about.encode()).hexdigest()[: STORED_LENGTH + LIVE_LENGTH]
        tagged = with_tag(request, rendered, f'"{word}"')
        return tagged if tagged is rendered else bodiless(tagged)

    response.add_post_render_callback(tag)
    return response


def bodiless(response: Response) -> HttpResponse:
    """A response that needs no rendering any more."""
    return HttpResponse(status=response.status_code, headers=dict(response.headers))
