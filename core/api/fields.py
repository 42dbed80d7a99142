"""Fields that read what people and programs send, and refuse what could mean two things."""

import re
import zoneinfo
from datetime import datetime
from typing import Any

from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils.html import is_html_input

from core.api.rendering import is_page
from core.zones import zone_names

# What the database has room for.
LARGEST_KEY = 2**63 - 1

# A time of day, and behind a space what is an offset but for its sign.
LOST_PLUS = re.compile(r"[Tt ]\d\d:?\d\d[\d:.,]{0,20} \d\d(:?\d\d)?$")


class FormsMixin:
    """For a serializer: a change by a form is read as one in JSON is; an empty field was sent, though it is empty.

    The REST framework takes one that can be left out for one that was. That is so on the pages of the browsable API
    alone.
    """

    def to_internal_value(self, data: Any) -> Any:  # noqa: ANN401 - whatever was sent
        """The values."""
        is_change = self.instance is not None or self.partial  # type: ignore[attr-defined]
        if is_change and is_html_input(data) and not is_page(self.context.get("request")):  # type: ignore[attr-defined]
            fields = {field.field_name: field.get_value(data) for field in self._writable_fields}  # type: ignore[attr-defined]
            sent = {name: "" if value is empty and name in data else value for name, value in fields.items()}
            data = {name: value for name, value in sent.items() if value is not empty}
        return super().to_internal_value(data)  # type: ignore[misc]


class MomentField(serializers.DateTimeField):
    """A moment in ISO 8601 with an offset; fractions of a second are kept, to the microsecond."""

    default_error_messages = {  # noqa: RUF012 - the framework's own form
        "invalid": "This is no moment in ISO 8601 with an offset, such as 2030-01-31T09:00:00Z.",
        "naive": "The offset is missing. Add Z for UTC or an offset: 2030-01-31T09:00:00Z.",
        "plus": "The offset is missing: a + in an address means a space. Write %2B instead, or use Z for UTC.",
    }

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        # The browsable API shows it as text: a browser's own picker knows no offset.
        super().__init__(style={"input_type": "text"}, **kwargs)

    def to_internal_value(self, value: Any) -> datetime:  # noqa: ANN401 - whatever was sent
        """The moment in UTC."""
        # Python's own parser stops at a NUL.
        if not isinstance(value, str) or "\0" in value:
            self.fail("invalid", format="")
        if LOST_PLUS.search(value):
            self.fail("plus")
        return super().to_internal_value(value.strip())

    def enforce_timezone(self, value: datetime) -> datetime:
        """The moment in UTC; one without an offset is refused."""
        if value.tzinfo is None:
            self.fail("naive")
        return super().enforce_timezone(value)

    def to_representation(self, value: datetime) -> datetime:
        """The moment as it is; the renderer writes it."""
        return value


class KeyField(serializers.IntegerField):
    """The id of something: a whole number, or its digits as text."""

    default_error_messages = {"invalid": "An id is needed: a whole number."}  # noqa: RUF012

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(min_value=1, max_value=LARGEST_KEY, **kwargs)

    def to_internal_value(self, data: Any) -> int:  # noqa: ANN401 - whatever was sent
        """The id."""
        if isinstance(data, bool) or not isinstance(data, int | str) or not str(data).strip().isdecimal():
            self.fail("invalid")
        return super().to_internal_value(data)


class WordField(serializers.ChoiceField):
    """One of a few words; the refusal names them all, and repeats nothing of what was sent."""

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - whatever was sent
        """The word."""
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(f"Choose one of {', '.join(map(str, self.choices))}.", "invalid_choice")
        return data


class FlagField(serializers.BooleanField):
    """A boolean that a form may leave out, as JSON may."""

    default_empty_html = empty


class ZoneField(serializers.CharField):
    """A time zone by its IANA name."""

    default_error_messages = {  # noqa: RUF012 - the framework's own form
        "unknown": "There is no such time zone. An IANA name is needed, such as Europe/Berlin.",
        "plus": "There is no such time zone. A + in an address means a space: write %2B instead, as in Etc/GMT%2B1.",
    }

    def to_internal_value(self, data: Any) -> zoneinfo.ZoneInfo:  # noqa: ANN401 - whatever was sent
        """The zone."""
        name = super().to_internal_value(data)
        if name not in zone_names():
            self.fail("plus" if name.replace(" ", "+") in zone_names() else "unknown")
        return zoneinfo.ZoneInfo(name)
