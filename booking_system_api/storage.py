"""The storage of static files in production."""

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class ForgivingManifestStorage(CompressedManifestStaticFilesStorage):
    """Compressed files with a content hash in their names, which caches may keep without a time limit.

    A file that `collectstatic` has not collected keeps its plain name: a page without its style sheet is better than a
    500.
    """

    manifest_strict = False
    # The names in the `import` lines of modules, too. Only the booking page has modules; to search the large scripts of
    # packages for imports takes most of the time of a deploy.
    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = (
        "core/page/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )
    # A name changes with the names inside the file: one pass for each step of the longest way of imports.
    max_post_process_passes = 20

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:  # noqa: ANN401
        """The name with the hash of the content; the plain name for a missing file."""
        try:
            return super().hashed_name(name, content, filename)
        except ValueError:
            return name
