"""The one reader of query strings: a serializer for each address; whatever it does not know is a 400, never ignored."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Self

from django.db.models import QuerySet
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request

from core.api.fields import MomentField
from core.api.rendering import is_page

# Known to every list, and named last.
PAGING = ("limit", "cursor", "count")
LARGEST_PAGE = 1000

# A search for nothing finds everything; any other parameter without a value is a mistake.
MAY_BE_EMPTY = ("search",)

# Known everywhere: the framework's own, which chooses between JSON and the browsable page.
FORMAT = "format"

Parameters = Mapping[str, Any]


def parameters_of(request: Request) -> QueryDict:
    """The query string; on a page of the browsable API an empty parameter counts as not sent."""
    sent = request.query_params
    if not is_page(request):
        return sent
    filled = QueryDict(mutable=True)
    for name, values in sent.lists():
        for value in filter(None, values):
            filled.appendlist(name, value)
    return filled


def wrong_parameters(sent: QueryDict, known: Iterable[str], *, lists: Collection[str] = ()) -> dict[str, list[str]]:
    """An error for each parameter that is unknown, empty, repeated or holds a NUL.

    Args:
        sent: The query string.
        known: The parameters of this address.
        lists: The parameters that may be repeated.
    """
    names = [*sorted(known, key=lambda name: name in PAGING), FORMAT]
    wrong: dict[str, list[str]] = {}
    for name, values in sent.lists():
        if name not in names:
            wrong[name] = [f"There is no such parameter. There are: {', '.join(names)}."]
        elif len(values) > 1 and name not in lists:
            wrong[name] = ["This parameter takes one value. Send it once."]
        elif "" in values and name not in MAY_BE_EMPTY:
            wrong[name] = ["This parameter is empty. Give it a value, or leave it out."]
        elif any("\0" in value for value in values):
            wrong[name] = ["A NUL character is in this value."]
    return wrong


class QueryParameters(serializers.Serializer):
    """The parameters that an address takes, as fields; this base takes none but `format`."""

    @classmethod
    def read(cls, request: Request) -> Parameters:
        """The parameters of a request; None for those that were not sent and have no default.

        Raises:
            ValidationError: For a bad value, and for an unknown, empty or repeated parameter.
        """
        sent = parameters_of(request)
        usual = None if sent else cls.defaults()
        if usual is not None:
            return usual
        parameters = cls.bound_to(request)
        wrong = wrong_parameters(sent, cls._declared_fields, lists=cls.lists())
        if not parameters.is_valid() or wrong:
            raise serializers.ValidationError({**parameters.errors, **wrong})
        return parameters.values()

    @classmethod
    def bound_to(cls, request: Request) -> Self:
        """The parameters of a request, not checked yet."""
        lists = cls.lists()
        sent = {name: values if name in lists else values[-1] for name, values in parameters_of(request).lists()}
        return cls(data=sent, context={"request": request})

    @classmethod
    def lists(cls) -> set[str]:
        """The parameters that may be repeated."""
        fields = cls._declared_fields.items()
        return {name for name, field in fields if isinstance(field, serializers.MultipleChoiceField)}

    @classmethod
    @cache
    def defaults(cls) -> Parameters | None:
        """The parameters of an empty query string, or None if something is required."""
        parameters = cls(data={})
        return parameters.values() if parameters.is_valid() else None

    def values(self) -> Parameters:
        return MappingProxyType({name: self.validated_data.get(name) for name in self._declared_fields})


class LimitField(serializers.IntegerField):
    """How many rows: digits and nothing else."""

    def __init__(self) -> None:
        wrong = f"A whole number from 1 to {LARGEST_PAGE} is needed."
        super().__init__(
            min_value=1,
            max_value=LARGEST_PAGE,
            required=False,
            help_text="How many at most; without it all of them. `Link` then leads on.",
            error_messages=dict.fromkeys(("invalid", "min_value", "max_value", "max_string_length"), wrong),
        )

    def to_internal_value(self, data: str) -> int:
        if not (data.isascii() and data.isdigit()):
            self.fail("invalid")
        return super().to_internal_value(data)


class CountField(serializers.BooleanField):
    """Whether to count: true or false, in digits if need be."""

    words: ClassVar = {"true": True, "1": True, "false": False, "0": False}

    def to_internal_value(self, data: str) -> bool:
        if data.lower() not in self.words:
            raise serializers.ValidationError("Send true or false.")
        return self.words[data.lower()]


class ListParameters(QueryParameters):
    """What every list takes: a page of it, and its length."""

    limit = LimitField()
    cursor = serializers.CharField(
        required=False,
        help_text="A place in the list, from a `Link` header; needs `limit`, and the same filters and ordering.",
    )
    count = CountField(
        required=False, help_text="Whether to answer how many there are in all, as `X-Total-Count`.", default=False
    )


class WindowParameters(QueryParameters):
    """A window of time: both ends or neither."""

    longest: ClassVar[timedelta | None] = None

    start = MomentField(required=False, help_text="The beginning of the window, with an offset; needs `end`.")
    end = MomentField(required=False, help_text="The end of the window, after its start.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse half a window, an end that is not after the start, and a window that is too long."""
        for name, other in (("start", "end"), ("end", "start")):
            if name in attrs and other not in attrs:
                raise serializers.ValidationError({other: ["start and end are needed both, or neither."]})
        if "start" in attrs:
            if attrs["start"] >= attrs["end"]:
                raise serializers.ValidationError({"end": ["The end must be after the start."]})
            if self.longest is not None and attrs["end"] - attrs["start"] > self.longest:
                most = f"The window may be at most {self.longest.days} days long."
                raise serializers.ValidationError({"end": [most]})
        return super().validate(attrs)


class ChoiceParameter(serializers.ChoiceField):
    """One of a few words; the refusal names them all."""

    def __init__(self, choices: Sequence[str], **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        messages = {"invalid_choice": f"Send {', '.join(choices)}."}
        super().__init__(choices, required=False, error_messages=messages, **kwargs)


class FlagParameter(ChoiceParameter):
    """True or false, in words; not sent is neither."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(("true", "false"), **kwargs)

    def to_internal_value(self, data: str) -> bool:
        return super().to_internal_value(data) == "true"


class OrderingParameter(serializers.ChoiceField):
    """One field to order by, with `-` before it to turn the order round."""

    default_error_messages: ClassVar = {
        "several": "One field is needed, with - before it to turn it round.",
        "invalid_choice": "There is no such ordering. There are: {listed}.",
    }

    def __init__(self, *names: str) -> None:
        choices = [sign + name for name in names for sign in ("", "-")]
        super().__init__(choices, required=False, help_text="What to order by; `-` before it turns it round.")

    def to_internal_value(self, data: str) -> str:
        if "," in data:
            self.fail("several")
        if data not in self.choices:
            self.fail("invalid_choice", listed=", ".join(self.choices))
        return data


def ordered(rows: QuerySet[Any], ordering: str | None) -> QuerySet[Any]:
    """The rows in that order, and by id where it says nothing, so that pages by key have a key."""
    if not ordering:
        return rows
    return rows.order_by(ordering, "-id" if ordering.startswith("-") else "id")
