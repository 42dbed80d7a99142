"""Parts of the admin's forms: searches, pickers, and the error of a failed save beside its field."""

import re
from typing import Any

from django import forms
from django.contrib.admin.views.main import ChangeListSearchForm
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import smart_split, unescape_string_literal

from core.errors import BookingError
from core.staff.moments import sentence_of
from core.texts import fold_line_ends

# The number of a booking, alone or as a mail writes it: "no. 34".
NUMBER = re.compile(r"(?:no\.? ?|#)?([0-9]+)", re.IGNORECASE)

ZONE_CHANGED = (
    "The time zone of this page has changed to {zone} after you opened it. Reload the page and write the times again."
)


def is_key(text: str) -> bool:
    """Whether the text can be the key of a row: at most 18 digits, which fit into a BIGINT."""
    return text.isdecimal() and len(text) < 19


def number_in(search: str) -> str | None:
    """The number in a search for a booking, written alone, as `#34` or as in mails: `no. 34`; None without a number."""
    found = NUMBER.fullmatch(search.strip())
    return found[1] if found and is_key(found[1]) else None


def words_of(search: str) -> list[str]:
    """The words of a search; words in quotes are one, as in Django's own searches."""
    return [
        unescape_string_literal(word) if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1 else word
        for word in smart_split(search)
    ]


class SearchForm(ChangeListSearchForm):
    """The search of a list; limits the words, since each word adds a condition to the query."""

    maximum_words = 5
    maximum_characters = 200

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.fields["q"] = forms.CharField(required=False, strip=False)

    def clean_q(self) -> str:
        text = self.cleaned_data["q"]
        if len(text) > self.maximum_characters or len(text.split()) > self.maximum_words:
            raise ValidationError(
                f"Search for at most {self.maximum_words} words and {self.maximum_characters} characters; this is the "
                "whole list."
            )
        return text


class TolerantAutocompleteSelect(AutocompleteSelect):
    """Django's picker; ignores an invalid key, where Django's own class fails."""

    def optgroups(self, name: str, value: list[str], attr: dict[str, Any] | None = None) -> list[Any]:
        return super().optgroups(name, [key for key in value if is_key(key)], attr)


class TolerantAutocompleteSelectMultiple(AutocompleteSelectMultiple):
    """Django's picker of several rows; ignores invalid keys, where Django's own class fails."""

    def optgroups(self, name: str, value: list[str], attr: dict[str, Any] | None = None) -> list[Any]:
        return super().optgroups(name, [key for key in value if is_key(str(key))], attr)


class TolerantMultipleChoiceField(forms.ModelMultipleChoiceField):
    """Django's multiple choice; rejects a number that is too large for a key, where Django's own class fails."""

    def clean(self, value: object) -> QuerySet:
        for key in value if isinstance(value, list | tuple) else []:
            if not is_key(str(key)):
                raise ValidationError(self.error_messages["invalid_pk_value"], "invalid_pk_value", params={"pk": key})
        return super().clean(value)


class StoredTextField(forms.CharField):
    """A text column; a text that was left alone stays as it is stored, and meets no validator again.

    A browser does not send a stored text back as it is: it changes the ends of lines in a text area, and removes them
    from an input of one line.

    Attributes:
        stored: The stored text; None for a new row.
    """

    stored: str | None = None

    def to_python(self, value: Any) -> Any:  # noqa: ANN401 - Django's own signature
        folded = fold_line_ends(value) if isinstance(value, str) else value
        return self.stored if self.stored is not None and folded == self.shown else super().to_python(folded)

    @property
    def shown(self) -> str:
        """The stored text as a browser sends it back."""
        folded = fold_line_ends(self.stored or "")
        return folded if isinstance(self.widget, forms.Textarea) else folded.replace("\n", "")

    def run_validators(self, value: Any) -> None:  # noqa: ANN401 - Django's own signature
        if self.stored is None or value != self.stored:
            super().run_validators(value)


class SaveErrorForm(forms.ModelForm):
    """A form that shows the error of a failed save; `BaseAdmin.get_form` sets the error on a class for one request."""

    save_error: BookingError | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, StoredTextField) and self.instance.pk is not None:
                field.stored = self.initial.get(name)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.save_error is not None:
            error = ValidationError(sentence_of(self.save_error), code=self.save_error.code)
            self.add_error(self.field_of(self.save_error), error)
        return cleaned

    def field_of(self, error: BookingError) -> str | None:
        """The field beside which the error of a failed save stands; None for the head of the form."""
        return error.field if error.field in self.fields else None


class HiddenStateField(forms.CharField):
    """A hidden value that the form sends back unchanged; the value never counts as a change."""

    widget = forms.HiddenInput

    def has_changed(self, initial: object, data: object) -> bool:
        return False


class ZonedForm(SaveErrorForm):
    """A form with times: it knows the zone in which its page showed them."""

    zone = HiddenStateField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.initial["zone"] = str(timezone.get_current_timezone())

    def clean(self) -> dict[str, Any] | None:
        """Checks the zone.

        Raises:
            ValidationError: When it has changed since the form was opened. The error belongs to no field: the page
                hides the errors of a hidden one.
        """
        cleaned = super().clean()
        if self.cleaned_data.get("zone") not in ("", self.initial["zone"]):
            raise ValidationError(ZONE_CHANGED.format(zone=self.initial["zone"]), code="zone_changed")
        return cleaned
