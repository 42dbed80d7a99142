"""The parts of the admin's forms: searches, pickers, and a verb's refusal beside the field that it is about."""

from typing import Any

from django import forms
from django.contrib.admin.views.main import ChangeListSearchForm
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from core.errors import BookingError


def is_key(text: str) -> bool:
    """Whether that can be the key of a row: digits, and no more than the database can hold."""
    return text.isdecimal() and len(text) < 19


class SearchForm(ChangeListSearchForm):
    """The search of a list: each word is a condition more, so there is an end to them."""

    most_words = 10
    most_characters = 200

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        self.fields["q"] = forms.CharField(required=False, strip=False)

    def clean_q(self) -> str:
        """The words.

        Raises:
            ValidationError: When there are too many.
        """
        text = self.cleaned_data["q"]
        if len(text) > self.most_characters or len(text.split()) > self.most_words:
            raise ValidationError(
                f"Search for at most {self.most_words} words and {self.most_characters} characters; this is the "
                "whole list."
            )
        return text


class PatientAutocompleteSelect(AutocompleteSelect):
    """Django's picker, which shows no choice for what is no key instead of failing on it."""

    def optgroups(self, name: str, value: list[str], attr: dict[str, Any] | None = None) -> list[Any]:
        """The chosen objects as options."""
        return super().optgroups(name, [key for key in value if is_key(key)], attr)


class PatientMultipleChoiceField(forms.ModelMultipleChoiceField):
    """Django's choice of many, which refuses a number that no key can be instead of failing on it."""

    def clean(self, value: Any) -> QuerySet:  # noqa: ANN401 - whatever was sent
        """The chosen objects.

        Raises:
            ValidationError: When one of them is no key.
        """
        for key in value if isinstance(value, list | tuple) else []:
            if not is_key(str(key)):
                raise ValidationError(self.error_messages["invalid_pk_value"], "invalid_pk_value", params={"pk": key})
        return super().clean(value)


class RefusableForm(forms.ModelForm):
    """A form that shows why its save was refused; `ModelAdmin.get_form` gives the class of one request a refusal."""

    refusal: BookingError | None = None

    def clean(self) -> dict[str, Any] | None:
        """The data, or the refusal beside its field."""
        cleaned = super().clean()
        if self.refusal is not None:
            field = self.refusal.field if self.refusal.field in self.fields else None
            self.add_error(field, ValidationError(self.refusal.message, code=self.refusal.code))
        return cleaned


class UnchangingField(forms.CharField):
    """What the form carries from its opening to its sending; nobody types it, so it is no change."""

    widget = forms.HiddenInput

    def has_changed(self, initial: object, data: object) -> bool:
        """Never."""
        return False
