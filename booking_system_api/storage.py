"""Where static files come from when DEBUG is off."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ForgivingManifestStorage(CompressedManifestStaticFilesStorage):
    """Content-hashed, compressed files that may be cached for ever.

    A file that was never collected keeps its plain name: a page without its style sheet (`collectstatic` mends it)
    is better than an error 500.
    """

    manifest_strict = False

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:  # noqa: ANN401
        """The name with the content's hash, or the plain one where there is no such file."""
        try:
            return super().hashed_name(name, content, filename)
        except ValueError:
            return name
