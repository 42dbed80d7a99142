"""The schema generator of `manage.py spectacular`; no server imports this module."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from rest_framework.settings import api_settings
from rest_framework.test import APIRequestFactory

# Each of these modules registers the descriptions of its views.
from core.accounts import schema as accounts  # noqa: F401
from core.availability import schema as availability  # noqa: F401
from core.calendars import schema as calendars  # noqa: F401
from core.history import schema as history  # noqa: F401
from core.notifications import schema as notifications  # noqa: F401
from core.policies import closure_schema as closures  # noqa: F401
from core.policies import schema as policies  # noqa: F401
from core.reports import schema as reports  # noqa: F401
from core.schema import bookings, bulk, components, resources, start  # noqa: F401
from core.schema.inspector import Inspector
from core.series import schema as series  # noqa: F401


class Generator(SchemaGenerator):
    """Reads every view with our inspector."""

    def get_schema(self, request: object = None, public: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
        """The whole document.

        The inspector is set here and not in the settings, because every server imports the class in the settings.
        """
        usual = api_settings.DEFAULT_SCHEMA_CLASS
        api_settings.DEFAULT_SCHEMA_CLASS = Inspector
        try:
            return super().get_schema(request, public)
        finally:
            api_settings.DEFAULT_SCHEMA_CLASS = usual

    def create_view(self, callback: Callable[..., Any], method: str, request: object = None) -> Any:  # noqa: ANN401
        """The view with a request: the authenticators of some views depend on the method."""
        view = super().create_view(callback, method, request)
        view.request = APIRequestFactory().generic(method, "/")
        return view
