"""Reads query strings: a serializer for each endpoint, which rejects unknown, empty and repeated parameters (400)."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Self

from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from core.api.fields import LARGEST_KEY, MomentField
from core.api.rendering import is_browsable_page

# Parameters of every list; error messages name them last.
PAGING = ("limit", "cursor", "count")
LARGEST_PAGE = 1000
# A count that goes on after so many rows would cost more than the page beside it.
MOST_COUNTED = 100_000

# The digits of an id.
KEY = re.compile(r"[0-9]{1,19}")

# An empty search matches every row; any other empty parameter is an error.
MAY_BE_EMPTY = ("search",)

# The fields of parameters that may be repeated.
REPEATED = (serializers.MultipleChoiceField, serializers.ListField)

# The framework's own parameter of every endpoint: JSON or the browsable page.
FORMAT = "format"

Parameters = Mapping[str, Any]


def parameters_of(request: Request) -> QueryDict:
    """The query string; on a page of the browsable API without the empty parameters, which its forms always send."""
    if not is_browsable_page(request):
        return request.query_params
    filled = QueryDict(mutable=True)
    for name, values in request.query_params.lists():
        for value in filter(None, values):
            filled.appendlist(name, value)
    return filled


def known_of(query: QueryDict, known: Collection[str]) -> QueryDict:
    """The query string without the parameters that are not known."""
    left = QueryDict(mutable=True)
    for name, values in query.lists():
        if name in known:
            left.setlist(name, values)
    return left


def parameter_errors(query: QueryDict, known: Iterable[str], *, lists: Collection[str] = ()) -> dict[str, list[str]]:
    """The errors of unknown, empty and repeated parameters and of those with a NUL, by parameter.

    Args:
        query: The query string.
        known: The parameters of this endpoint.
        lists: The parameters that may be repeated.
    """
    names = [*sorted(known, key=lambda name: name in PAGING), FORMAT]
    errors: dict[str, list[str]] = {}
    for name, values in query.lists():
        if name not in names:
            errors[name] = [f"There is no such parameter. There are: {', '.join(names)}."]
        elif len(values) > 1 and name not in lists:
            errors[name] = ["This parameter takes one value. Send it once."]
        elif "" in values and name not in MAY_BE_EMPTY:
            errors[name] = ["This parameter is empty. Give it a value, or leave it out."]
        elif any("\0" in value for value in values):
            errors[name] = ["A NUL character is in this value."]
    return errors


class QueryParameters(serializers.Serializer):
    """The query parameters of an endpoint, as fields; this base class accepts only `format`."""

    @classmethod
    def read(cls, request: Request, *, strict: bool = True) -> Parameters:
        """The validated parameters of a request; None for an absent parameter without a default.

        Args:
            request: The request.
            strict: Whether an unknown parameter is an error; otherwise it passes unread.

        Raises:
            ValidationError: For a bad value, and for an unknown, empty or repeated parameter.
        """
        query = parameters_of(request)
        if not strict:
            query = known_of(query, cls._declared_fields)
        defaults = None if query else cls.defaults()
        if defaults is not None:
            return defaults
        parameters = cls.bound_to(request)
        errors = parameter_errors(query, cls._declared_fields, lists=cls.lists())
        if not parameters.is_valid() or errors:
            raise serializers.ValidationError({**parameters.errors, **errors})
        return parameters.values()

    @classmethod
    def bound_to(cls, request: Request) -> Self:
        """The parameters of a request, not validated yet."""
        lists = cls.lists()
        data = {name: values if name in lists else values[-1] for name, values in parameters_of(request).lists()}
        return cls(data=data, context={"request": request})

    @classmethod
    def lists(cls) -> set[str]:
        """The parameters that may be repeated."""
        fields = cls._declared_fields.items()
        return {name for name, field in fields if isinstance(field, REPEATED)}

    @classmethod
    @cache
    def defaults(cls) -> Parameters | None:
        """The parameters of an empty query string; None when a parameter is required."""
        parameters = cls(data={})
        return parameters.values() if parameters.is_valid() else None

    def values(self) -> Parameters:
        return MappingProxyType({name: self.validated_data.get(name) for name in self._declared_fields})


class LimitField(serializers.IntegerField):
    """The maximum number of rows, in ASCII digits only."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        message = f"A whole number from 1 to {LARGEST_PAGE} is needed."
        kwargs.setdefault("help_text", "How many at most; without it all of them. `Link` then leads on.")
        super().__init__(
            min_value=1,
            max_value=LARGEST_PAGE,
            required=False,
            error_messages=dict.fromkeys(("invalid", "min_value", "max_value", "max_string_length"), message),
            **kwargs,
        )

    def to_internal_value(self, data: object) -> int:
        text = str(data)
        if not (text.isascii() and text.isdigit()):
            self.fail("invalid")
        return super().to_internal_value(text)


class CountField(serializers.BooleanField):
    """Whether to count the rows: true, false, 1 or 0."""

    words: ClassVar[Mapping[str, bool]] = {"true": True, "1": True, "false": False, "0": False}

    def to_internal_value(self, data: object) -> bool:
        word = str(data).lower()
        if word not in self.words:
            raise serializers.ValidationError("Send true or false.")
        return self.words[word]


class ListParameters(QueryParameters):
    """The parameters of every list: a page, and the total."""

    limit = LimitField()
    cursor = serializers.CharField(
        required=False,
        help_text="A place in the list, from a `Link` header; needs `limit`, and the same filters and ordering.",
    )
    count = CountField(
        required=False,
        help_text=f"Whether to answer how many there are in all, up to {MOST_COUNTED}, as `X-Total-Count`.",
        default=False,
    )


class WindowParameters(QueryParameters):
    """A window of time: `start` and `end`, both or neither."""

    longest: ClassVar[timedelta | None] = None

    start = MomentField(required=False, help_text="The beginning of the window, with an offset; needs `end`.")
    end = MomentField(required=False, help_text="The end of the window, after its start.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Rejects half a window, an end at or before the start, and a window longer than `longest`."""
        for name, other in (("start", "end"), ("end", "start")):
            if name in attrs and other not in attrs:
                raise serializers.ValidationError({other: ["start and end are needed both, or neither."]})
        if "start" in attrs:
            if attrs["start"] >= attrs["end"]:
                raise serializers.ValidationError({"end": ["The end must be after the start."]})
            if self.longest is not None and attrs["end"] - attrs["start"] > self.longest:
                message = f"The window may be at most {self.longest.days} days long."
                raise serializers.ValidationError({"end": [message]})
        return super().validate(attrs)


class ChoiceParameter(serializers.ChoiceField):
    """One of a few words; the error lists them."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        message = f"Send {', '.join(choices)}."
        super().__init__(choices, required=False, error_messages={"invalid_choice": message}, **kwargs)


class IncludeParameter(serializers.MultipleChoiceField):
    """What an answer shows beside its usual fields: one word or more, repeated."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        message = f"Send {', '.join(choices)}; it may be repeated."
        super().__init__(choices=choices, required=False, error_messages={"invalid_choice": message}, **kwargs)


class KeysParameter(serializers.ListField):
    """Ids of rows: one or more, repeated."""

    default_error_messages: ClassVar = {"invalid": "Send whole numbers from 1 on; it may be repeated."}

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        child = serializers.IntegerField(min_value=1, max_value=LARGEST_KEY)
        super().__init__(child=child, required=False, **kwargs)

    def to_internal_value(self, data: Any) -> list[int]:  # noqa: ANN401 - the framework's own
        """The ids, each once and in order."""
        if not all(KEY.fullmatch(text) and 1 <= int(text) <= LARGEST_KEY for text in data):
            self.fail("invalid")
        return sorted(set(map(int, data)))


class FlagParameter(ChoiceParameter):
    """`true` or `false`; an absent flag filters nothing."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(("true", "false"), **kwargs)

    # The stub fixes the value of every ChoiceField to a text; a subclass cannot name another type.
    def to_internal_value(self, data: Any) -> bool:  # type: ignore[override]  # noqa: ANN401
        return super().to_internal_value(data) == "true"


class OrderingParameter(serializers.ChoiceField):
    """A field to order by; `-` before its name reverses the order."""

    default_error_messages: ClassVar = {
        "several": "One field is needed, with - before it to turn it round.",
        "invalid_choice": "There is no such ordering. There are: {listed}.",
    }

    def __init__(self, *names: str) -> None:
        choices = [sign + name for name in names for sign in ("", "-")]
        super().__init__(choices, required=False, help_text="What to order by; `-` before it turns it round.")

    def to_internal_value(self, data: object) -> str:
        name = str(data)
        if "," in name:
            self.fail("several")
        if name not in self.choices:
            self.fail("invalid_choice", listed=", ".join(map(str, self.choices)))
        return name


def ordered(rows: QuerySet[Any], ordering: str | None) -> QuerySet[Any]:
    """The rows in that ordering, with the id as a tie-breaker: keyset pagination needs a unique key."""
    if not ordering:
        return rows
    return rows.order_by(ordering, "-id" if ordering.startswith("-") else "id")
