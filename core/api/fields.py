"""Serializer fields for ids, moments, choices and time zones; each rejects ambiguous input."""

import re
import zoneinfo
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, cast

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils.html import is_html_input

from core.api.rendering import is_browsable_page
from core.texts import fold_line_ends
from core.zones import zone_names

if TYPE_CHECKING:
    SerializerBase = serializers.Serializer
else:
    SerializerBase = object

# The largest BIGINT.
LARGEST_KEY = 2**63 - 1

# The field of the forms of the browsable API that is about no object.
CSRF_TOKEN = "csrfmiddlewaretoken"
# An error names this many unknown fields, with this many characters of each.
MOST_NAMES, LONGEST_NAME = 10, 100

# A time of day, a space, and an offset without its sign: the `+` was decoded as a space.
LOST_PLUS = re.compile(r"[Tt ]\d\d:?\d\d[\d:.,]{0,20} \d\d(:?\d\d)?$")


class KnownFieldsMixin(SerializerBase):
    """For a serializer: an unknown field of a body is an error, which names the known ones.

    Clients send whole objects back. So a body may hold what answers show, and the serializer passes it over.

    Attributes:
        answered: Fields of answers that this serializer does not have.
    """

    answered: ClassVar[Collection[str]] = ()

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - a body of any shape
        unknown = self.unknown_fields(data) if isinstance(data, Mapping) else {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**cast(dict[str, Any], error.detail), **unknown}) from error
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    def unknown_fields(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        """The errors of the first unknown fields, by name."""
        names = (name for name in data if name not in self.fields and name not in (*self.answered, CSRF_TOKEN))
        known = ", ".join(name for name, field in self.fields.items() if not field.read_only)
        shown = (name.encode("utf-8", "replace").decode()[:LONGEST_NAME] for name in islice(names, MOST_NAMES))
        return {name: [f"There is no such field. There are: {known}."] for name in shown}


class FormsMixin(KnownFieldsMixin):
    """For a serializer: an HTML form changes the fields that it holds, empty ones included, as JSON does.

    The REST framework treats an empty optional field of a form as absent. That is right only for the pages of the
    browsable API, which send all fields. A form has other ends of lines than JSON; a text that differs from the stored
    one in nothing else stays as it is stored.
    """

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - a body of any shape
        if is_html_input(data):
            data = self.with_plain_line_ends(data)
            if is_browsable_page(self.context.get("request")):
                # The page shows such a field as empty, whatever is stored.
                for name in [name for name, field in self.fields.items() if field.write_only and data.get(name) == ""]:
                    del data[name]
        is_change = self.instance is not None or self.partial
        if is_change and is_html_input(data) and not is_browsable_page(self.context.get("request")):
            fields = {str(field.field_name): field.get_value(data) for field in self._writable_fields}
            values = {name: "" if value is empty and name in data else value for name, value in fields.items()}
            unknown = {name: data[name] for name in data if name not in values}
            data = unknown | {name: value for name, value in values.items() if value is not empty}
        return super().to_internal_value(data)

    def with_plain_line_ends(self, form: Any) -> QueryDict:  # noqa: ANN401 - any form
        """A copy of the form whose texts have plain ends of lines, or those of the stored text."""
        copy = QueryDict(mutable=True)
        for name, values in form.lists():
            stored = getattr(self.instance, name, None)
            folded = [fold_line_ends(value) if isinstance(value, str) else value for value in values]
            is_same = isinstance(stored, str) and folded == [fold_line_ends(stored)]
            copy.setlist(name, [str(stored)] if is_same else folded)
        return copy


class SentColumnsMixin(SerializerBase):
    """For a serializer of a model: a change writes the sent columns alone, and the moment of the change.

    The row was read before. A whole row would undo what others have written since, such as a new password.
    """

    def update(self, instance: Any, validated_data: dict[str, Any]) -> Any:  # noqa: ANN401 - a row of any model
        for name, value in validated_data.items():
            setattr(instance, name, value)
        if validated_data:
            moments = [field.name for field in instance._meta.concrete_fields if getattr(field, "auto_now", False)]
            instance.save(update_fields=[*validated_data, *moments])
        return instance


class TextField(serializers.CharField):
    """A text that may be empty; null means the empty text."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(required=False, allow_blank=True, **kwargs)

    def run_validation(self, data: Any = empty) -> Any:  # noqa: ANN401 - the framework's own
        return super().run_validation("" if data is None else data)


class MomentField(serializers.DateTimeField):
    """A moment in ISO 8601 with an offset, converted to UTC; fractions of a second are kept, to the microsecond."""

    default_error_messages = {  # noqa: RUF012 - the framework's own form
        "invalid": "This is no moment in ISO 8601 with an offset, such as 2030-01-31T09:00:00Z.",
        "naive": "The offset is missing. Add Z for UTC or an offset: 2030-01-31T09:00:00Z.",
        "plus": "The offset is missing: a + in an address means a space. Write %2B instead, or use Z for UTC.",
    }

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        # The browsable API uses a text input: a browser's own picker sends no offset.
        super().__init__(style={"input_type": "text"}, default_timezone=UTC, **kwargs)

    def to_internal_value(self, value: object) -> datetime:
        # Python's own parser stops at a NUL.
        if not isinstance(value, str) or "\0" in value:
            self.fail("invalid", format="")
        if LOST_PLUS.search(value):
            self.fail("plus")
        return super().to_internal_value(value.strip())

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("naive")
        return super().enforce_timezone(value)

    # The stub declares a text, but the framework itself returns the moment where no format is set.
    def to_representation(self, value: datetime) -> datetime:  # type: ignore[override]
        """The moment unchanged; the renderer serializes it."""
        return value


class KeyField(serializers.IntegerField):
    """The id of a row: a whole number from 1 to `LARGEST_KEY`, or its digits as text."""

    default_error_messages = {"invalid": "An id is needed: a whole number."}  # noqa: RUF012

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(min_value=1, max_value=LARGEST_KEY, **kwargs)

    def to_internal_value(self, data: object) -> int:
        if isinstance(data, bool) or not isinstance(data, int | str) or not str(data).strip().isdecimal():
            self.fail("invalid")
        return super().to_internal_value(data)


class WordField(serializers.ChoiceField):
    """A choice of texts; the error lists the choices and does not repeat the input."""

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(f"Choose one of {', '.join(map(str, self.choices))}.", "invalid_choice")
        return data


class FlagField(serializers.BooleanField):
    """A boolean that may be absent from a form, as from JSON, and is null only as null.

    Django REST framework reads an absent one as false, and the word `null` as null.
    """

    default_empty_html = empty
    NULL_VALUES = {None}  # noqa: RUF012 - the framework's own form


class ZoneField(serializers.CharField):
    """A time zone by its IANA name."""

    default_error_messages = {  # noqa: RUF012 - the framework's own form
        "unknown": "There is no such time zone. An IANA name is needed, such as Europe/Berlin.",
        "plus": "There is no such time zone. A + in an address means a space: write %2B instead, as in Etc/GMT%2B1.",
    }

    # The stub fixes the value of every CharField to a text; a subclass cannot name another type.
    def to_internal_value(self, data: Any) -> zoneinfo.ZoneInfo:  # type: ignore[override]  # noqa: ANN401
        name = super().to_internal_value(data)
        if name not in zone_names():
            self.fail("plus" if name.replace(" ", "+") in zone_names() else "unknown")
        return zoneinfo.ZoneInfo(name)
