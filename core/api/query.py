"""What a query string may say, read by a serializer: a bad value or an unknown name is a 400, never ignored."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, Self

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from core.api.fields import MomentField
from core.api.rendering import is_page
from core.intervals import Interval

# Known to every list, whatever it is of.
PAGING = ("limit", "cursor", "count")

# A search for nothing finds everything; whatever else has no value says nothing.
MAY_BE_EMPTY = ("search",)

# Known everywhere: the framework's own, which chooses between JSON and the browsable page.
FORMAT = "format"


def parameters_of(request: Request) -> QueryDict:
    """What the query string says; on a page of the browsable API an empty parameter counts as not sent."""
    sent = request.query_params
    if not is_page(request):
        return sent
    filled = QueryDict(mutable=True)
    for name, values in sent.lists():
        for value in filter(None, values):
            filled.appendlist(name, value)
    return filled


def wrong_parameters(sent: QueryDict, known: Iterable[str], *, lists: Collection[str] = ()) -> dict[str, list[str]]:
    """An error for each parameter that is not known, is empty, or came more often than it may."""
    return {**empty_parameters(sent), **repeated_parameters(sent, lists=lists), **unknown_parameters(sent, known)}


def unknown_parameters(sent: Iterable[str], known: Iterable[str]) -> dict[str, list[str]]:
    """An error for each parameter that is not known, naming those that are."""
    names = [*known, FORMAT]
    return {name: [f"There is no such parameter. There are: {', '.join(names)}."] for name in sent if name not in names}


def repeated_parameters(sent: QueryDict, *, lists: Collection[str] = ()) -> dict[str, list[str]]:
    """An error for each parameter that came more than once, where all but the last would be ignored."""
    once = (name for name in sent if name not in lists)
    return {name: ["This parameter takes one value. Send it once."] for name in once if len(sent.getlist(name)) > 1}


def empty_parameters(sent: QueryDict) -> dict[str, list[str]]:
    """An error for each parameter without a value."""
    empty = (name for name, values in sent.lists() if name not in MAY_BE_EMPTY and "" in values)
    return {name: ["This parameter is empty. Give it a value, or leave it out."] for name in empty}


def require_known(request: Request, known: Iterable[str]) -> None:
    """Refuse whatever else was sent, and whatever was sent empty or twice.

    Raises:
        ValidationError: Naming the parameters that there are.
    """
    wrong = wrong_parameters(parameters_of(request), known)
    if wrong:
        raise serializers.ValidationError(wrong)


class QueryParameters(serializers.Serializer):
    """The parameters of a call; a subclass declares them as fields."""

    @classmethod
    def read(cls, request: Request, **context: Any) -> Self:  # noqa: ANN401 - the serializer's own context
        """The parameters of this request, checked.

        Raises:
            ValidationError: For an unknown parameter or a bad value.
        """
        parameters = cls(data=parameters_of(request).dict(), context={"request": request, **context})
        require_known(request, parameters.fields)
        parameters.is_valid(raise_exception=True)
        return parameters

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - any field's value
        """A parameter's value, None where it was not sent and has no default."""
        return self.validated_data.get(name)


class WindowParameters(QueryParameters):
    """A window of time: both ends or neither."""

    start = MomentField(required=False, help_text="The beginning of the window, with an offset.")
    end = MomentField(required=False, help_text="The end of the window, after its start.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Both or neither, in order."""
        for name, other in (("start", "end"), ("end", "start")):
            if name in attrs and other not in attrs:
                raise serializers.ValidationError({other: ["start and end are needed both, or neither."]})
        if "start" in attrs:
            require_order(attrs["start"], attrs["end"])
        return attrs


def window_of(request: Request) -> Interval | None:
    """The window of `?start=…&end=…` of a reading request, or None where it names none.

    Raises:
        ValidationError: When only one of the two is there, one comes twice or is no moment, or the end is not after
            the start.
    """
    asked = parameters_of(request)
    sent = {name: asked[name] for name in ("start", "end") if name in asked}
    if not sent or request.method not in SAFE_METHODS:
        return None
    wrong = {name: said for name, said in wrong_parameters(asked, asked).items() if name in sent}
    if wrong:
        raise serializers.ValidationError(wrong)
    parameters = WindowParameters(data=sent)
    parameters.is_valid(raise_exception=True)
    return Interval(parameters["start"], parameters["end"])


def require_order(start: datetime, end: datetime) -> None:
    """Refuse a window that ends where it starts, or before."""
    if start >= end:
        raise serializers.ValidationError({"end": ["The end must be after the start."]})
