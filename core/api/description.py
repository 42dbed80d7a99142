"""How a feature describes its views to drf-spectacular; no server imports this module.

The inspector reads extensions of our own. `x-errors` of an operation lists further errors, as classes or codes: the
inspector cannot derive them from the view. `x-file` of an operation is an example of its CSV. `x-sometimes` of a
serializer lists the fields that some responses lack.
"""

from collections.abc import Callable, Sequence

from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

Words = Callable[[type], type]


def describe(
    view: type[APIView],
    tag: str,
    *,
    shown_as: type[BaseSerializer] | None = None,
    **operations: Words | Sequence[Words],
) -> None:
    """Registers the description of a view.

    The description is attached to a subclass for drf-spectacular; the view itself does not change.

    Args:
        view: The view class of the routes.
        tag: The tag of the operations.
        shown_as: The serializer of the responses, if it differs from the serializer of the bodies.
        operations: `extend_schema(...)` by method or action; a list for an action with several methods.
    """

    class Description(OpenApiViewExtension):
        target_class = view

        def view_replacement(self) -> type[APIView]:
            shown = type(view.__name__, (view,), {"shown_as": shown_as})
            return extend_schema(tags=[tag])(extend_schema_view(**operations)(shown))
