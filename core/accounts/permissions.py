"""Who may look into accounts."""

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView


class IsSuperuser(IsAuthenticated):
    """Only superusers look into accounts."""

    message = "Only superusers may see all accounts."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Whether the request may go on."""
        return super().has_permission(request, view) and request.user.is_superuser


class IsOwnAccountOrSuperuser(IsAuthenticated):
    """An account is for its own user and for superusers."""

    message = "This account is somebody else's."

    def has_object_permission(self, request: Request, view: "APIView", obj: Any) -> bool:  # noqa: ANN401
        """Whether this account may be seen and changed."""
        return request.user.is_superuser or obj.pk == request.user.pk
