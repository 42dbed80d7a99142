"""Parsers of bodies: JSON and forms; each rejects a body of another format."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from rest_framework import parsers
from rest_framework.exceptions import ParseError

NO_FORM = "Form parse error - this body is no form of names and values. Send JSON as application/json."

Context = Mapping[str, Any] | None


class JSONParser(parsers.JSONParser):
    """JSON, also after a byte order mark; nesting deeper than Python's stack is an error of the client."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Context = None) -> Any:  # noqa: ANN401 - any JSON value
        """The parsed body.

        Raises:
            ParseError: For invalid JSON or nesting that is too deep.
        """
        try:
            return super().parse(stream, media_type, {**(parser_context or {}), "encoding": "utf-8-sig"})
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


class FormParser(parsers.FormParser):
    """Pairs of a name and a value; JSON without its content type is an error of the client."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Context = None) -> Any:  # noqa: ANN401 - the framework's own
        """The parsed body.

        Raises:
            ParseError: For a body that no form sends: a name without `=`, a bracket or a quote at the start.
        """
        body = stream.read()
        if body.lstrip().startswith((b"{", b"[", b'"')) or any(b"=" not in pair for pair in body.split(b"&") if pair):
            raise ParseError(NO_FORM)
        return super().parse(BytesIO(body), media_type, parser_context)


class MultiPartParser(parsers.MultiPartParser):
    """Named parts; a body of other parts is an error of the client."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Context = None
    ) -> parsers.DataAndFiles:
        """The parsed body.

        Raises:
            ParseError: For a body that cannot be read, or whose parts all lack a name.
        """
        form = super().parse(stream, media_type, parser_context)
        request = (parser_context or {})["request"]
        boundary = request.content_params.get("boundary", "")
        if not (form.data or form.files) and int(request.META["CONTENT_LENGTH"]) > len(f"\r\n--{boundary}--\r\n"):
            raise ParseError(NO_FORM)
        return form
