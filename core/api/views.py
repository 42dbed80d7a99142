"""What every view of this API shares."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from django.http import HttpResponseBase, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.utils import timezone
from rest_framework.exceptions import NotFound, Throttled
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from core.api.etags import guard, tag_of, with_tag
from core.api.query import Parameters, QueryParameters
from core.api.throttling import limits_of, rate_limit_headers

READING = ("GET", "HEAD")


class ApiView:
    """A mixin for every view, the libraries' views too: it declares query parameters, cache rule and limits.

    Attributes:
        query: The parameters of GET; None for a view that reads none itself.
        queries: The same by action, for views that have several.
        public: True if anonymous callers all get the same answer to GET, which anybody may keep who asks again each
            time (RFC 9111).
        secret: True if an answer to POST may hold a token, so that nobody keeps it.
        limits: Throttles by action and method (`me get`), action or method, instead of the usual ones.
        parameters: The parameters of this GET, checked; empty for other methods.
    """

    query: ClassVar[type[QueryParameters] | None] = QueryParameters
    queries: ClassVar[Mapping[str, type[QueryParameters]]] = {}
    public: ClassVar[bool] = False
    secret: ClassVar[bool] = False
    limits: ClassVar[Mapping[str, Sequence[type[BaseThrottle]]]] = {}
    parameters: Parameters = {}

    @cached_property
    def now(self) -> datetime:
        """The moment of this call."""
        return timezone.now()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        query = self.query_of_action()
        if query is not None and request.method in READING:
            self.parameters = query.read(request)

    def query_of_action(self) -> type[QueryParameters] | None:
        """The parameters of GET, or of this action where it has its own."""
        return self.queries.get(getattr(self, "action", None) or "", self.query)

    def get_throttles(self) -> list[BaseThrottle]:
        action, method = getattr(self, "action", None) or "", str(self.request.method).lower()  # type: ignore[attr-defined]
        for name in (f"{action} {method}", action, method):
            if name in self.limits:
                return [throttle() for throttle in self.limits[name]]
        return super().get_throttles()  # type: ignore[misc]

    def handle_exception(self, exc: Exception) -> Response:
        """The answer to an exception.

        The framework asks for tokens and permissions before it asks the throttles; so whoever is refused there is
        counted here.
        """
        request = self.request  # type: ignore[attr-defined]
        if getattr(exc, "status_code", None) in (401, 403) and not limits_of(request):
            try:
                self.check_throttles(request)  # type: ignore[attr-defined]
            except Throttled as throttled:
                exc = throttled
        return super().handle_exception(exc)  # type: ignore[misc]

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        for name, value in rate_limit_headers(limits_of(request)).items():
            response.headers[name] = value
        if self.secret and request.method == "POST":
            response.headers.setdefault("Cache-Control", "no-store")
        shown = request.method in READING and response.status_code in (200, 304)
        if self.public and shown and "Authorization" not in request.headers and not request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "public, max-age=0, must-revalidate")
        return response


class NothingHereView(ApiView, APIView):
    """The rest of `/api/`: a flat 404, or the way to the same address with its slash."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    query = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Refuse every method alike."""
        super().initial(request, *args, **kwargs)
        raise NotFound("There is nothing here. Check the address; every path ends in a slash.")

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Send a reader whose address only lacks its slash there; a body would be lost on that way."""
        if request.method in ("GET", "HEAD") and not request.path.endswith("/"):
            try:
                found = resolve(f"{request.path_info}/")
            except Resolver404:
                found = None
            if found and found.url_name != "nothing-here":
                return self.redirect(request.get_full_path(force_append_slash=True))
        return super().dispatch(request, *args, **kwargs)

    def redirect(self, address: str) -> HttpResponsePermanentRedirect:
        """A permanent redirection."""
        return HttpResponsePermanentRedirect(address)


class TaggedMixin:
    """Single objects with their entity tag."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        """One of them."""
        return self.answer(self.get_object())  # type: ignore[attr-defined]

    def answer(self, row: Any, **options: Any) -> Response:  # noqa: ANN401 - a model, and what a response takes
        """The row with its tag."""
        serializer = self.get_serializer(row)  # type: ignore[attr-defined]
        response = Response(serializer.data, **options)
        return with_tag(self.request, response, tag_of(serializer.data, serializer.live_fields))  # type: ignore[attr-defined]

    def guard(self) -> Callable[[Any], None] | None:
        """What refuses a write where the caller's `If-Match` says that it is about another version."""
        shape = self.get_serializer_class()  # type: ignore[attr-defined]
        context = self.get_serializer_context()  # type: ignore[attr-defined]
        return guard(self.request, lambda row: shape(row, context=context).data, shape.live_fields)  # type: ignore[attr-defined]
