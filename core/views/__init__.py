"""The root, resources and bookings over HTTP. Every write of a booking calls a verb."""

from core.views.bookings import BookingViewSet
from core.views.bulk import BulkBookingsView
from core.views.house import HouseView
from core.views.resources import ResourceViewSet
from core.views.root import RootView

__all__ = ["BookingViewSet", "BulkBookingsView", "HouseView", "ResourceViewSet", "RootView"]
