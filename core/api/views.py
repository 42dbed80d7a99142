"""The mixins of all API views, and the 404 below `/api/`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from django.utils import timezone
from rest_framework import generics
from rest_framework.exceptions import APIException, NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.utils.formatting import markup_description
from rest_framework.views import APIView

from core.api.etags import if_match_check, tag_of, with_tag
from core.api.fields import LARGEST_KEY
from core.api.lists import PlainRowsMixin, RowsMixin
from core.api.query import Parameters, QueryParameters
from core.api.rendering import is_browsable_page
from core.api.throttling import limits_of, rate_limit_headers

if TYPE_CHECKING:
    ViewBase = APIView
    GenericViewBase = generics.GenericAPIView
else:
    ViewBase = GenericViewBase = object

READ_METHODS = ("GET", "HEAD")

Row = TypeVar("Row", bound=Model)


class ApiView(ViewBase):
    """For every view, also those of libraries: declares query parameters, caching and rate limits.

    Attributes:
        about: What OPTIONS and the page of the view say about it. A docstring would not do: Python can leave those out.
        abouts: The same by action, for an action with an address of its own.
        query: The query parameters of GET; None for a view that does not validate its query string.
        queries: The query parameters of GET by action; other actions have `query`.
        write_queries: The query parameters of writing actions; other parameters of these pass unread.
        public: Whether all anonymous callers get the same response to GET; shared caches may then store the response,
            and must revalidate it each time (RFC 9111).
        secret: Whether the response to POST may hold a token; no cache may then store the response.
        limits: Throttles by action and method (`me get`), action, or method, instead of the default throttles.
        parameters: The validated query parameters of this request; empty for a write without `write_queries`.
    """

    about: ClassVar[str] = ""
    abouts: ClassVar[Mapping[str, str]] = {}
    query: ClassVar[type[QueryParameters] | None] = QueryParameters
    queries: ClassVar[Mapping[str, type[QueryParameters]]] = {}
    write_queries: ClassVar[Mapping[str, type[QueryParameters]]] = {}
    public: ClassVar[bool] = False
    secret: ClassVar[bool] = False
    limits: ClassVar[Mapping[str, Sequence[type[BaseThrottle]]]] = {}
    parameters: Parameters = {}

    @cached_property
    def now(self) -> datetime:
        """The moment of this request, read from the clock once."""
        return timezone.now()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().initial(request, *args, **kwargs)
        query = self.query_of_action(request.method)
        is_handled = hasattr(self, str(request.method).lower())  # the others are refused as a whole
        if query is not None and is_handled:
            self.parameters = query.read(request, strict=request.method in READ_METHODS)

    def get_view_description(self, html: bool = False) -> str:  # noqa: FBT001, FBT002 - the framework's own
        actions = (getattr(self, "action_map", None) or {}).values()
        about = next((self.abouts[action] for action in actions if action in self.abouts), self.about)
        return markup_description(about) if html else about

    @property
    def key(self) -> int:
        """The id in the address.

        Raises:
            Http404: When it is too large to be the id of a row.
        """
        digits = str(self.kwargs["pk"]).lstrip("0") or "0"
        if len(digits) > len(str(LARGEST_KEY)) or int(digits) > LARGEST_KEY:
            raise Http404
        return int(digits)

    def query_of_action(self, method: str | None) -> type[QueryParameters] | None:
        """The query parameters of the current action with a method; None for parameters that nobody reads."""
        action = getattr(self, "action", None) or ""
        if method in READ_METHODS:
            return self.queries.get(action, self.query)
        return self.write_queries.get(action)

    def get_throttles(self) -> list[BaseThrottle]:
        action, method = getattr(self, "action", None) or "", str(self.request.method).lower()
        for name in (f"{action} {method}", action, method):
            if name in self.limits:
                return [throttle() for throttle in self.limits[name]]
        return super().get_throttles()

    def handle_exception(self, exc: Exception) -> Response:
        """Converts an exception to a response.

        The framework checks `?format=`, tokens and permissions before the throttles, so a request that fails such a
        check is counted here.
        """
        if getattr(exc, "status_code", None) in (400, 401, 403) and not limits_of(self.request):
            try:
                with suppress(APIException):
                    self.perform_authentication(self.request)  # a wrong token counts as an anonymous caller
                self.check_throttles(self.request)
            except Exception as failure:  # noqa: BLE001 - `Throttled`, or the failure of the body or the database
                exc = failure
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in rate_limit_headers(limits_of(request)).items():
            response.headers[name] = value
        if self.secret and request.method == "POST":
            response.headers.setdefault("Cache-Control", "no-store")
        is_read = request.method in READ_METHODS and response.status_code in (200, 304)
        if self.public and is_read and "Authorization" not in request.headers and not request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "public, max-age=0, must-revalidate")
        return response


def found(row: Row | None) -> Row:
    """The row of an address.

    Raises:
        Http404: When there is none.
    """
    if row is None:
        raise Http404
    return row


class NothingHereView(ApiView, APIView):
    """Every other path below `/api/`: a JSON 404, or a redirect to the path with a slash at its end."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    query = None
    name = ""  # for the breadcrumbs of pages, which try each shorter path

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        super().initial(request, *args, **kwargs)
        raise NotFound("There is nothing here. Check the address; every path ends in a slash.")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401
        """Redirects GET and HEAD when only the final slash is missing; a redirect would lose the body of a write."""
        if request.method in READ_METHODS and not request.path.endswith("/"):
            try:
                match = resolve(f"{request.path_info}/")
            except Resolver404:
                match = None
            if match and match.url_name != "nothing-here":
                return HttpResponsePermanentRedirect(request.get_full_path(force_append_slash=True))
        return super().dispatch(request, *args, **kwargs)


class TaggedMixin(GenericViewBase):
    """For a view: answers single objects with their entity tag, and checks `If-Match` before a write."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ANN401 - the framework's own
        return self.answer(self.get_object())

    def answer(self, row: Model, **options: Any) -> Response:  # noqa: ANN401 - the options of a response
        """The response with a row and its tag."""
        fields = self.represent(row)
        return with_tag(self.request, Response(fields, **options), tag_of(fields, self.live_fields))

    def represent(self, row: Model) -> Mapping[str, Any]:
        """The fields of a row as the API shows them."""
        serializer_class = self.get_serializer_class()
        # The page of a browser takes its form from the serializer.
        if issubclass(serializer_class, PlainRowsMixin) and not is_browsable_page(self.request):
            return serializer_class.fields_of(row)
        fields: Mapping[str, Any] = serializer_class(row, context=self.get_serializer_context()).data
        return fields

    @property
    def live_fields(self) -> Collection[str]:
        """The names of the fields that are not stored in the row; see `core.api.etags`."""
        return cast(type[RowsMixin], self.get_serializer_class()).live_fields

    def version_check(self) -> Callable[[Any], None] | None:
        """A check of the locked row, which raises `StaleVersion` for another version than `If-Match` names."""
        return if_match_check(self.request, self.represent, self.live_fields)
