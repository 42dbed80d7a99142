"""The permissions of accounts."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

if TYPE_CHECKING:
    from rest_framework.views import APIView


class IsSuperuser(IsAuthenticated):
    """Only superusers may list accounts."""

    message = "Only superusers may see all accounts."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return super().has_permission(request, view) and request.user.is_superuser


class IsOwnAccountOrSuperuser(IsAuthenticated):
    """Only its own user and superusers may read or change an account."""

    message = "This account is somebody else's."

    def has_object_permission(self, request: Request, view: "APIView", obj: User) -> bool:
        return request.user.is_superuser or obj.pk == request.user.pk
