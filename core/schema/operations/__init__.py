"""Every operation of the API: what it does, who may call it, what it takes and what it answers.

The shapes come from the serializers and the filters themselves; what they cannot say is said here, once, so that the
views stay small. `core/schema/inspector.py` turns an entry into OpenAPI.
"""

from core.schema.operation import Operation
from core.schema.operations.accounts import ALL_ACCOUNTS, OWN_ACCOUNT
from core.schema.operations.availability import AVAILABILITY
from core.schema.operations.bookings import BOOKING
from core.schema.operations.calendars import CALENDAR
from core.schema.operations.profile import PREFERENCES, PROFILE_PICTURE
from core.schema.operations.resources import RESOURCE
from core.schema.operations.sign_in import SIGNING_IN
from core.schema.operations.start import ROOT

OPERATIONS: dict[str, Operation] = {
    **ROOT,
    **SIGNING_IN,
    **RESOURCE,
    **AVAILABILITY,
    **BOOKING,
    **CALENDAR,
    **OWN_ACCOUNT,
    **PROFILE_PICTURE,
    **PREFERENCES,
    **ALL_ACCOUNTS,
}
ORDER = list(OPERATIONS)
