"""Fields of the API and of forms that bring names and addresses to their stored form before they are checked."""

from typing import Any

from django import forms
from rest_framework import serializers

from core import addresses
from core.accounts.identity import stored_name


class NameField(serializers.CharField):
    """A user name."""

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - what JSON can hold
        return stored_name(super().to_internal_value(data))


class AddressField(serializers.EmailField):
    """An e-mail address."""

    def to_internal_value(self, data: Any) -> str:  # noqa: ANN401 - what JSON can hold
        """The stored form.

        Raises:
            ValidationError: When the address has an invisible character, or no form in ASCII.
        """
        return addresses.entered(super().to_internal_value(data))


class AddressFormField(forms.EmailField):
    """An e-mail address in a form."""

    def to_python(self, value: Any) -> str:  # noqa: ANN401 - Django's own
        """The stored form.

        Raises:
            ValidationError: When the address has an invisible character, or no form in ASCII.
        """
        return addresses.entered(super().to_python(value) or "")
