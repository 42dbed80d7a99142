"""User names and e-mail addresses: their stored form, and whether one is taken, whatever its case."""

import re

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower


def folded_email(address: str) -> str:
    """The form in which an address is stored."""
    return address.strip().lower()


def free_name(name: str, *, except_id: int | None) -> str:
    """The name, if no other user than `except_id` has it in whatever case.

    Raises:
        ValidationError: When it is taken.
    """
    if users_with_name(name).exclude(pk=except_id).exists():
        raise ValidationError("A user with that username already exists.", code="unique")
    return name


def free_email(address: str, *, except_id: int | None) -> str:
    """The address in its stored form, if no other user than `except_id` has it; none is free.

    Raises:
        ValidationError: When it is taken.
    """
    address = folded_email(address)
    if address and users_with_email(address).exclude(pk=except_id).exists():
        raise ValidationError("A user with that email address already exists.", code="unique")
    return address


def users_with_email(address: str) -> QuerySet:
    """Users of that address; the database's unique index lets there be one at most."""
    return get_user_model()._default_manager.annotate(folded=Lower("email")).filter(folded=folded_email(address))


def users_with_name(name: str) -> QuerySet:
    """Users of that name. SQLite's own functions fold ASCII letters only, Django's regular expressions all."""
    users = get_user_model()._default_manager.all()
    if connection.vendor == "sqlite":
        return users.filter(username__iregex=rf"^{re.escape(name)}$")
    if name.isascii():
        return users.annotate(folded=Lower("username")).filter(folded=name.lower())
    # Some letters have two small forms (the Greek sigma), so upper case is compared, too.
    return users.annotate(folded=Lower("username")).filter(Q(folded=Lower(Value(name))) | Q(username__iexact=name))
