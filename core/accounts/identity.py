"""Case-insensitive uniqueness of user names and e-mail addresses, and the stored form of names."""

import re

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower

from core.addresses import canonical, in_letters, is_invisible

LONGEST_NAME = 150
# NFKC composes at most four characters into one, so no longer text becomes a name. NFKC of a million takes long.
LONGEST_SENT_NAME = 4 * LONGEST_NAME
EAST_ASIAN = {"LATIN", "HAN", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "COMMON", "INHERITED"}


def stored_name(name: str) -> str:
    """The stored form of a user name (NFKC); a text that is too long for a name stays as it is."""
    return User.normalize_username(name) if len(name) <= LONGEST_SENT_NAME else name


def free_name(name: str, *, except_id: int | None) -> str:
    """The name, when no user except `except_id` has that name in any case, and it imitates no other name.

    Raises:
        ValidationError: When the name is taken, mixes scripts with look-alike letters, or has an invisible letter.
    """
    if any(map(is_invisible, name)) and not has_name(except_id, name):
        raise ValidationError("This name has an invisible letter. Leave it out.", code="invalid")
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
    if name.isascii():
        return False
    # Imported late: the tables of look-alike letters take 7 MB, and most processes never need them.
    from confusable_homoglyphs import categories, confusables

    scripts = set(categories.unique_aliases(name))
    return bool(scripts - EAST_ASIAN) and bool(confusables.is_dangerous(name))


def free_email(address: str, *, except_id: int | None) -> str:
    """The stored form of the address, when no user except `except_id` has that address; an empty address is free.

    Raises:
        ValidationError: When the address is taken.
    """
    address = canonical(address)
    if address and all_except(except_id, users_with_email(address)).exists():
        raise ValidationError("A user with that email address already exists.", code="unique")
    return address


def all_except(user_id: int | None, users: QuerySet[User]) -> QuerySet[User]:
    """The users without the one with this id; all of them for None."""
    return users if user_id is None else users.exclude(pk=user_id)


def users_with_email(address: str) -> QuerySet[User]:
    """The users with that address in any spelling.

    By the database's unique index at most one has the stored form; another program may have stored the domain in its
    letters.
    """
    stored = canonical(address)
    return User._default_manager.annotate(folded=Lower("email")).filter(folded__in={stored, in_letters(stored)})


def users_with_name(name: str) -> QuerySet[User]:
    """The users with that name in any case."""
    users = User._default_manager.all()
    if name.isascii():
        return users.annotate(folded=Lower("username")).filter(folded=name.lower())
    if connection.vendor == "sqlite":
        # SQLite's LOWER folds ASCII letters only; Django's regular expressions fold all letters.
        return users.filter(username__iregex=rf"^{re.escape(name)}$")
    # Some letters have two lower-case forms (the Greek sigma), so compare upper case too.
    return users.annotate(folded=Lower("username")).filter(Q(folded=Lower(Value(name))) | Q(username__iexact=name))


def user_named(name: str) -> User | None:
    """The user who signs in with that name.

    The case does not matter. Of old rows that differ by case alone the one with exactly that name comes first.
    """
    stored = stored_name(name)
    if len(stored) > LONGEST_NAME:
        return None
    users = list(users_with_name(stored))
    if stored != name:
        # A name that another program stored as it was typed.
        users += User._default_manager.filter(username=name)
    return min(users, key=lambda user: (user.username != name, user.username != stored, user.pk), default=None)
