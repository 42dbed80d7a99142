"""Many bookings in one call, for staff: one decision on all of them, or all of them made."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, cast

from django.contrib.auth.models import User
from django.db import DataError, IntegrityError
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response

from core import lifecycle
from core.api.errors import ApiError
from core.api.exception_handler import flat_error
from core.api.idempotency import idempotent
from core.api.parsing import JSONParser
from core.api.views import ApiView
from core.choices import BookingStatus, Decision
from core.errors import BookingError
from core.lifecycle import Changes
from core.models import Booking
from core.record.acts import Act
from core.record.kinds import Channel
from core.serializers import BookingSerializer
from core.views.bookings import book_as_sent
from core.views.bulk_serializers import (
    MOST_ENTRIES,
    BulkBookingsSerializer,
    BulkDecisionSerializer,
)

# What refuses one entry and leaves the others alone. Any other failure, such as a database that is away, is the answer
# to the whole call.
REFUSALS = (BookingError, APIException, IntegrityError, DataError)


class TooManyEntries(ApiError):
    """A call names more bookings than one call takes."""

    status_code = 400
    default_code = "too_many_entries"
    default_detail = f"At most {MOST_ENTRIES} bookings in one call. Nothing was done. Send the others in another call."
    advice = f"A bulk call takes at most {MOST_ENTRIES} `ids` or `bookings`. Split it."


class Entry(Protocol):
    """One of the bookings of a call.

    Attributes:
        place: The `id` or the `index` by which the answer names the entry.
        http_status: The HTTP status of a single call that succeeds.
        status: The status of the booking under the lock, before the act; None for one that is not there.
        resource_ids: The resources that the entry books, apart from the one that a stored booking has.
        user_ids: The people for whom it books, apart from the owner of a stored booking.
    """

    place: dict[str, int]
    http_status: int
    status: str | None
    resource_ids: Sequence[int]
    user_ids: Sequence[int]

    def carry_out(self, act: Act) -> Booking:
        """Does what a single call would do, and raises what that would raise."""


class Decided:
    """A decision on one booking."""

    http_status = 200
    resource_ids: Sequence[int] = ()
    user_ids: Sequence[int] = ()

    def __init__(self, booking_id: int, booking: Booking | None, status: BookingStatus) -> None:
        self.place = {"id": booking_id}
        self.booking = booking
        self.changes = Changes(status=status)
        self.status: str | None = None

    def carry_out(self, act: Act) -> Booking:
        """Sets the status.

        Raises:
            NotFound: When there is no such booking.
            BookingError: Of the first rule that the change breaks.
        """
        if self.booking is None:
            raise NotFound
        return lifecycle.change(self.booking, changes=self.changes, act=act, check=self.see)

    def see(self, booking: Booking) -> None:
        """Keeps the status of the locked row."""
        self.status = booking.status


class Made:
    """A booking to be made."""

    http_status = 201
    status: str | None = None

    def __init__(self, index: int, body: object, caller: User) -> None:
        self.place = {"index": index}
        self.fields: Mapping[str, Any] = {}
        self.fault: ValidationError | None = None
        reader = BookingSerializer.reader(by_staff=True, of_change=False, partial=False)
        try:
            self.fields = reader.run_validation(body)
        except ValidationError as fault:
            self.fault = fault
        self.resource_ids: Sequence[int] = [self.fields["resource_id"]] if self.fields else []
        self.user_ids: Sequence[int] = [self.fields.get("user_id") or caller.pk]

    def carry_out(self, act: Act) -> Booking:
        """Books.

        Raises:
            ValidationError: When the body cannot be read.
            BookingError: Of the first rule that the booking breaks.
        """
        if self.fault is not None:
            raise self.fault
        return book_as_sent(self.fields, act=act)


class RefusedAll(Exception):  # noqa: N818 - a signal to the view, which answers
    """The first refusal of an entry; nothing is done.

    Attributes:
        response: The answer to the whole call.
    """

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class BulkBookingsView(ApiView, GenericAPIView):
    """Decides on many bookings, or makes them."""

    about = "Decides on many bookings, or makes them. For staff."
    permission_classes = (IsAdminUser,)
    parser_classes = (JSONParser,)
    serializer_class = BulkDecisionSerializer

    def post(self, request: Request) -> Response:
        """Tries each entry, once for each `Idempotency-Key`."""
        try:
            return idempotent(request, self.carry_out, now=self.now)
        except RefusedAll as refused:
            return refused.response

    def carry_out(self) -> Response:
        """Tries each entry, and answers what became of it.

        Raises:
            ValidationError: For a body that is neither of the two.
            TooManyEntries: For a body with too many entries.
            RefusedAll: At the first refusal, with `all_or_nothing`.
        """
        sent = self.read()
        entries, all_or_nothing = self.entries_of(sent), sent.get("all_or_nothing", False)
        act = Act.of(self.request, now=self.now, channel=Channel.API, reason=sent.get("reason", ""))
        with self.transaction_of(entries, all_or_nothing=all_or_nothing):
            results = {index: self.result_of(entry, act, strict=all_or_nothing) for index, entry in entries.items()}
        return Response({"results": [results[key] for key in sent.get("ids", results)]})

    def read(self) -> dict[str, Any]:
        """The values of the body."""
        data = self.request.data
        makes = isinstance(data, Mapping) and "bookings" in data
        listed = data.get("bookings" if makes else "ids") if isinstance(data, Mapping) else None
        if isinstance(listed, list) and len(listed) > MOST_ENTRIES:
            raise TooManyEntries
        serializer = (BulkBookingsSerializer if makes else BulkDecisionSerializer)(data=data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def entries_of(self, sent: Mapping[str, Any]) -> dict[int, Entry]:
        """The entries in the order of the body: decisions by the id of the booking, each once, new ones by index."""
        if "bookings" in sent:
            caller = cast(User, self.request.user)
            return {index: Made(index, body, caller) for index, body in enumerate(sent["bookings"])}
        rows, status = Booking.objects.in_full().in_bulk(sent["ids"]), Decision(sent["action"]).status
        return {key: Decided(key, rows.get(key), status) for key in sent["ids"]}

    def transaction_of(self, entries: Mapping[int, Entry], *, all_or_nothing: bool) -> AbstractContextManager[None]:
        """The one transaction of all entries, where they need one; else each verb has its own.

        An `Idempotency-Key` is claimed in the transaction of its answer, and so the locks of the entries add up, too.
        """
        if not all_or_nothing and "Idempotency-Key" not in self.request.headers:
            return nullcontext()
        return lifecycle.together(
            bookings={entry.place["id"] for entry in entries.values() if "id" in entry.place},
            resources={key for entry in entries.values() for key in entry.resource_ids},
            users={key for entry in entries.values() for key in entry.user_ids},
        )

    def result_of(self, entry: Entry, act: Act, *, strict: bool) -> dict[str, Any]:
        """What became of an entry: the booking, or the body of the refusal, as a single call would answer.

        Raises:
            RefusedAll: When it is refused and `strict` is set.
        """
        try:
            booking = entry.carry_out(act)
        except REFUSALS as error:
            refusal = flat_error(error, self.get_exception_handler_context())
            if strict:
                refusal.data = {**refusal.data, **entry.place}
                raise RefusedAll(refusal) from error
            # What the refusal says about fields of these names is in `detail`, too.
            known = {"id": None, **entry.place, "http_status": refusal.status_code, "status": entry.status}
            return {**known, **refusal.data, **known}
        fields = BookingSerializer.fields_of(booking)
        return {**entry.place, "http_status": entry.http_status, "code": None, **fields}
