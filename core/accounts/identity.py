"""Whether a user name or an e-mail address is taken, whatever its case."""

import re

from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower


def folded_email(address: str) -> str:
    """The form in which an address is stored."""
    return address.strip().lower()


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
