"""Text as forms send it, and as a search compares it."""

import unicodedata


def fold_line_ends(text: str) -> str:
    """The text with a line feed at the end of each line; a form sends a carriage return before it, too."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def fold_text(text: str | None) -> str | None:
    """The text for a comparison without regard to case and to the composition of letters (Unicode, section 5.18)."""
    if text is None or text.isascii():
        return text and text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
