"""What views of this API share."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponsePermanentRedirect
from django.urls import Resolver404, resolve
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.etags import guard, tag_of, with_tag


class NothingHereView(APIView):
    """The rest of `/api/`: a flat 404, or the way to the same address with its slash."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

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
