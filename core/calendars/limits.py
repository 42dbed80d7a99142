"""The rate limits of calendar feeds."""

from rest_framework.request import Request

from core.api.throttling import AddressThrottle, RateThrottle


class CalendarBySecret(RateThrottle):
    """Requests for one feed, from all addresses together."""

    scope = "calendar"
    counter = "secret"

    def counted(self, request: Request) -> str | None:
        match = request.resolver_match
        return match.kwargs["secret"] if match else None


class CalendarByAddress(AddressThrottle):
    """Requests for feeds from one address.

    The quota is larger than the quota of a feed: a whole office may share an address, and a calendar service reads the
    feeds of all its users from few addresses.
    """

    factor = 10
    scope = "calendar"


# The address first, so that nobody fills the store with counters of made-up secrets.
LIMITS: tuple[type[RateThrottle], ...] = (CalendarByAddress, CalendarBySecret)
