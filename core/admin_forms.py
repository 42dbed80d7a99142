"""The admin's forms: what staff type, and how a verb's refusal stands beside the field that it is about."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.views.main import ChangeListSearchForm
from django.contrib.admin.widgets import AdminSplitDateTime, AutocompleteSelect
from django.contrib.auth.forms import AdminPasswordChangeForm, AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.authtoken.models import Token

from core.accounts.identity import folded_email, users_with_email, users_with_name
from core.choices import BookingStatus
from core.errors import BookingError
from core.lifecycle import Changes
from core.models import Booking

CHANGED_MEANWHILE = "Somebody changed this booking after you opened it. Reload the page to see it as it is now."


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


class BookingForm(RefusableForm):
    """A booking. Its rules are the verbs', which the admin calls when the form itself is in order."""

    start_time = forms.SplitDateTimeField(label="Start (UTC)", widget=AdminSplitDateTime)
    end_time = forms.SplitDateTimeField(label="End (UTC)", widget=AdminSplitDateTime)
    seen = UnchangingField(required=False)

    class Meta:
        model = Booking
        fields = ("user", "resource", "start_time", "end_time", "status", "notes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            given = ("", "as the resource gives it")
            self.fields["status"] = forms.ChoiceField(
                choices=[given, *BookingStatus.choices],
                required=False,
                help_text="A resource that requires approval gives pending, another one confirmed.",
            )
            self.initial.pop("status", None)
        else:
            self.initial["seen"] = self.as_seen(self.instance.updated_at)

    def as_seen(self, moment: datetime) -> str:
        """The moment of the last change, in the form that the page carries."""
        return moment.isoformat()

    def clean_seen(self) -> str:
        """The moment of the last change when the form was opened.

        Raises:
            ValidationError: When somebody changed the booking since.
        """
        seen = self.cleaned_data["seen"]
        if seen and self.instance.pk is not None and seen != self.as_seen(self.instance.updated_at):
            raise ValidationError(CHANGED_MEANWHILE, code="changed_meanwhile")
        return seen

    def _get_validation_exclusions(self) -> set[str]:
        # Without its times, none of the model's constraints is checked: the verbs check the same rules under lock, with
        # the stored fractions of a second, and name the clash.
        return super()._get_validation_exclusions() | {"start_time", "end_time"}

    @property
    def changes(self) -> Changes:
        """What was typed; a field that was left alone stays as it is stored, with what the form cannot show of it."""
        named = {"resource": "resource_id"}
        typed = {name: self.cleaned_data[name] for name in self.changed_data if name in self.Meta.fields}
        if "resource" in typed:
            typed["resource"] = typed["resource"].pk
        return Changes(**{named.get(name, name): value for name, value in typed.items()})


class IdentityMixin(RefusableForm):
    """User names and e-mail addresses are unique whatever their case."""

    def clean_username(self) -> str:
        """The name, refused when another user has it.

        Raises:
            ValidationError: When it is taken.
        """
        name = self.cleaned_data["username"]
        if users_with_name(name).exclude(pk=self.instance.pk).exists():
            raise ValidationError("A user with that username already exists.", code="unique")
        return name

    def clean_email(self) -> str:
        """The address in its stored form, refused when another user has it.

        Raises:
            ValidationError: When it is taken.
        """
        address = folded_email(self.cleaned_data.get("email") or "")
        if address and users_with_email(address).exclude(pk=self.instance.pk).exists():
            raise ValidationError("A user with that email address already exists.", code="unique")
        return address


class NewUserForm(IdentityMixin, AdminUserCreationForm):
    """A new account; it may have no address."""

    class Meta(AdminUserCreationForm.Meta):
        fields = ("username", "email")


class UserForm(IdentityMixin, UserChangeForm):
    """An account."""


class UserPasswordForm(AdminPasswordChangeForm):
    """A new password, or none any more; the token goes with the old one in both cases."""

    def save(self, commit: bool = True) -> AbstractBaseUser:  # noqa: FBT001, FBT002 - Django's own
        """The user."""
        user = super().save(commit)
        Token.objects.filter(user_id=user.pk).delete()
        return user
