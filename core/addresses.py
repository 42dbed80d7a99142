"""E-mail addresses: the one stored form of all spellings of a mailbox."""

import contextlib
import re
import unicodedata

import idna
from django.core.exceptions import ValidationError

# More characters than any spelling of an address of 254 has; a million of them take long to look at.
LONGEST_SENT = 1000
# The characters of Unicode's property Default_Ignorable_Code_Point that count as letters or marks, such as the
# variation selectors. All others are controls, formats or unassigned, whose category begins with a C.
IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def is_invisible(character: str) -> bool:
    """True for a character without a shape of its own: controls, zero-width characters, marks of direction, tags."""
    category = unicodedata.category(character)
    return category.startswith("C") or category in ("Zl", "Zp") or bool(IGNORABLE.match(character))


def ascii_domain(address: str) -> str:
    """The address with its domain in ASCII (`xn--…`), by UTS 46 without transitional processing.

    Every mail server accepts this form. A domain without such a form stays as it is.
    """
    local, at, domain = address.rpartition("@")
    if not domain.isascii():
        with contextlib.suppress(idna.IDNAError):
            domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    return f"{local}{at}{domain}"


def canonical(address: str) -> str:
    """The stored form of an address: trimmed, in lower case, the domain in ASCII."""
    return ascii_domain(address.strip()).lower()


def in_letters(address: str) -> str:
    """A canonical address with the letters of its domain in place of `xn--…`."""
    local, at, domain = address.rpartition("@")
    with contextlib.suppress(idna.IDNAError):
        domain = idna.decode(domain)
    return f"{local}{at}{domain}"


def require_visible(address: str) -> None:
    """Checks that every character of an address can be seen; UTS 46 would drop some of the others without a word.

    Raises:
        ValidationError: When the address has an invisible character.
    """
    if any(is_invisible(character) for character in address.strip()):
        raise ValidationError("This address has an invisible character. Type it instead of pasting it.", code="invalid")


def entered(address: str) -> str:
    """The stored form of an address that somebody entered; the rest of its form is `EmailValidator`'s to check.

    Raises:
        ValidationError: When the address has an invisible character, no form in ASCII, or far too many characters.
    """
    require_visible(address[:LONGEST_SENT])
    # In lower case some letters, such as the sign of Kelvin, would become ASCII.
    if len(address) > LONGEST_SENT or not ascii_domain(address.strip()).isascii():
        raise ValidationError("Enter a valid email address.", code="invalid")
    return canonical(address)
