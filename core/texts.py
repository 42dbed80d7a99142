"""Text as forms send it."""


def fold_line_ends(text: str) -> str:
    """The text with a line feed at the end of each line; a form sends a carriage return before it, too."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
