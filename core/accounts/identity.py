"""Case-insensitive uniqueness of user names and e-mail addresses, and the stored form of addresses."""

import re

from confusable_homoglyphs import categories, confusables
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower

EAST_ASIAN = {"LATIN", "HAN", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "COMMON", "INHERITED"}


def folded_email(address: str) -> str:
    """The stored form of an address: trimmed, in lower case."""
    return address.strip().lower()


def free_name(name: str, *, except_id: int | None) -> str:
    """The name, when no user except `except_id` has that name in any case, and it imitates no other name.

    Raises:
        ValidationError: When the name is taken, or mixes scripts with look-alike letters.
    """
    if is_imitation(name) and not has_name(except_id, name):
        raise ValidationError("Use the letters of one script: some of these look like those of another.", code="mixed")
    if all_except(except_id, users_with_name(name)).exists():
        raise ValidationError("A user with that username already exists.", code="unique")
    return name


def has_name(user_id: int | None, name: str) -> bool:
    """True if the user has exactly that name already."""
    return user_id is not None and User.objects.filter(pk=user_id, username=name).exists()


def is_imitation(name: str) -> bool:
    """True for a name that mixes scripts with look-alike letters, such as a Cyrillic a among Latin letters.

    Latin beside Han, Kana or Hangul is how people write in East Asia (UTS 39, section 5.2, "highly restrictive").
    """
    scripts = set(categories.unique_aliases(name))
    return bool(scripts - EAST_ASIAN) and bool(confusables.is_dangerous(name))


def free_email(address: str, *, except_id: int | None) -> str:
    """The stored form of the address, when no user except `except_id` has that address; an empty address is free.

    Raises:
        ValidationError: When the address is taken.
    """
    address = folded_email(address)
    if address and all_except(except_id, users_with_email(address)).exists():
        raise ValidationError("A user with that email address already exists.", code="unique")
    return address


def all_except(user_id: int | None, users: QuerySet[User]) -> QuerySet[User]:
    """The users without the one with this id; all of them for None."""
    return users if user_id is None else users.exclude(pk=user_id)


def users_with_email(address: str) -> QuerySet[User]:
    """The users with that address in any case; at most one, by the database's unique index."""
    return User._default_manager.annotate(folded=Lower("email")).filter(folded=folded_email(address))


def users_with_name(name: str) -> QuerySet[User]:
    """The users with that name in any case."""
    users = User._default_manager.all()
    if connection.vendor == "sqlite":
        # SQLite's LOWER folds ASCII letters only; Django's regular expressions fold all letters.
        return users.filter(username__iregex=rf"^{re.escape(name)}$")
    if name.isascii():
        return users.annotate(folded=Lower("username")).filter(folded=name.lower())
    # Some letters have two lower-case forms (the Greek sigma), so compare upper case too.
    return users.annotate(folded=Lower("username")).filter(Q(folded=Lower(Value(name))) | Q(username__iexact=name))
