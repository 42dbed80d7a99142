"""What `manage.py spectacular` runs; no server does."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from core.schema.inspector import Inspector


class Generator(SchemaGenerator):
    """Describes every view by our inspector.

    Named here and not as the REST framework's DEFAULT_SCHEMA_CLASS, which is imported at every start.
    """

    def create_view(self, callback: Callable[..., Any], method: str, request: object = None) -> Any:  # noqa: ANN401
        """The view, with its inspector."""
        view = super().create_view(callback, method, request)
        self._set_schema_to_view(view, Inspector())
        return view
