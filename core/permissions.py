"""The permissions of resources and bookings."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request

from core.models import Booking, Series

if TYPE_CHECKING:
    from rest_framework.views import APIView


class IsAdminOrReadOnly(BasePermission):
    """Anyone may read resources; only staff may write."""

    message = "Only staff may change resources."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return request.method in SAFE_METHODS or bool(request.user and request.user.is_staff)


class IsOwnerOrStaff(IsAuthenticated):
    """Only its owner and staff may read or change a single booking."""

    message = "This booking is somebody else's."

    def has_object_permission(self, request: Request, view: "APIView", obj: Booking | Series) -> bool:
        return request.user.is_staff or obj.user_id == request.user.pk


class IsSeriesOwnerOrStaff(IsOwnerOrStaff):
    """Only its owner and staff may read or change a series."""

    message = "This series is somebody else's."
