"""Entity tags (RFC 9110, section 8.8.3): conditional reads, and writes that cannot overwrite a newer version.

The tag of a single object has two parts: a digest of the fields stored in its row, and a digest of the live fields,
which come from other rows or change with time. A cached copy is fresh while both parts match. A write is refused only
when the stored part differs.
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

# An element of a list of tags, with the comma after it. Empty elements are allowed (RFC 9110, section 5.6.1.2).
ELEMENT = re.compile(r'\s*(?:(?:W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*)?(?:,|\Z)')
NO_TAGS = 'If-Match and If-None-Match take * or tags in double quotes, such as "abc", "def".'
STORED_LENGTH, LIVE_LENGTH = 20, 12


def digest(value: object, length: int) -> str:
    """The first `length` hexadecimal digits of the SHA-256 of a value, serialized as JSON."""
    return hashlib.sha256(orjson.dumps(value, default=str, option=orjson.OPT_UTC_Z)).hexdigest()[:length]


def tag_of(fields: Mapping[str, Any], live_fields: Collection[str]) -> str:
    """The tag of a single object, in double quotes.

    Args:
        fields: The object as the API represents it.
        live_fields: The names of the fields that are not stored in the object's row.
    """
    stored = {name: value for name, value in fields.items() if name not in live_fields}
    live = {name: value for name, value in fields.items() if name in live_fields}
    return f'"{digest(stored, STORED_LENGTH)}-{digest(live, LIVE_LENGTH)}"'


def parse_tags(header: str) -> list[str]:
    """The tags of an `If-Match` or `If-None-Match` header, without `W/` and quotes.

    Raises:
        ParseError: When the header is not a list of tags.
    """
    tags, position = [], 0
    while position < len(header):
        match = ELEMENT.match(header, position)
        if match is None:
            raise ParseError(NO_TAGS)
        if match[1] is not None:
            tags.append(match[1])
        position = match.end()
    if not tags:
        raise ParseError(NO_TAGS)
    return tags


def if_match_check(
    request: Request, represent: Callable[[Any], Mapping[str, Any]], live_fields: Collection[str]
) -> Callable[[Any], None] | None:
    """A check of the locked row against the request's `If-Match`; None without that header.

    Args:
        request: The write.
        represent: Turns a row into the fields that the API shows.
        live_fields: The names of the fields that are not stored in the row.

    Returns:
        A function of the row, which raises `StaleVersion` when no tag of the header matches the row.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header or header == "*":
        return None
    # RFC 9110, section 13.1.1, demands that a weak tag never matches. But a proxy that compresses answers weakens our
    # tags, and they name the stored version, which no compression changes.
    accepted = {opaque[:STORED_LENGTH] for opaque in parse_tags(header)}

    def check(row: object) -> None:
        current = represent(row)
        tag = tag_of(current, live_fields)
        if tag[1 : STORED_LENGTH + 1] not in accepted:
            raise StaleVersion(current, tag)

    return check


def is_fresh(request: Request | HttpRequest, tag: str) -> bool:
    """Whether the request's `If-None-Match` holds the tag, so that the answer is a 304."""
    response = get_conditional_response(request, etag=tag)
    return response is not None and response.status_code == 304


def conditional_response(
    request: Request | HttpRequest, tag: str, make_response: Callable[[], HttpResponse], **headers: str
) -> HttpResponse:
    """The response with its tag, or a 304 without making the response.

    Args:
        request: A GET or HEAD.
        tag: The entity tag of the response, in double quotes.
        make_response: Makes the full response.
        headers: Further headers of both responses, with `_` for `-`.
    """
    fresh = is_fresh(request, tag)
    response = HttpResponse(status=304) if fresh else make_response()
    if fresh:
        del response.headers["Content-Type"]
    for name, value in {"ETag": tag, **headers}.items():
        response.headers[name.replace("_", "-")] = value
    return response


def with_tag(request: Request, response: Response, tag: str) -> Response:
    """The response with its tag, or a 304 when the client's copy is fresh. Only JSON responses carry tags."""
    if getattr(request, "accepted_renderer", None) is None or request.accepted_renderer.format != "json":
        return response
    if is_fresh(request, tag):
        response = Response(status=304, headers=dict(response.headers))
    response.headers["ETag"] = tag
    return response


def with_tag_of_body(request: Request, response: Response) -> Response:
    """The response of a list with its tag, or a 304; the tag covers the rendered body, `Link` and `X-Total-Count`."""

    def add_tag(rendered: Response) -> HttpResponse:
        paging = rendered.headers.get("Link", "") + rendered.headers.get("X-Total-Count", "")
        opaque = hashlib.sha256(rendered.content + paging.encode()).hexdigest()[: STORED_LENGTH + LIVE_LENGTH]
        tagged = with_tag(request, rendered, f'"{opaque}"')
        return tagged if tagged is rendered else without_body(tagged)

    response.add_post_render_callback(add_tag)
    return response


def without_body(response: Response) -> HttpResponse:
    """A plain response with the same status and headers; a post-render callback must return a rendered response."""
    return HttpResponse(status=response.status_code, headers=dict(response.headers))
