"""Books the first free hour of tomorrow with a client that openapi-python-client generates from the description.

pip install -r requirements.txt
openapi-python-client generate --path ../../../openapi.yaml --output-path client
PYTHONPATH=client BOOKING_API=http://127.0.0.1:8000 BOOKING_USERNAME=bert BOOKING_PASSWORD=... python book.py
"""

import json
import os
import sys
import uuid
from datetime import UTC, datetime, timedelta

from booking_api_client import AuthenticatedClient, Client
from booking_api_client.api.bookings import create_booking
from booking_api_client.api.free_time import find_first_slots
from booking_api_client.api.sign_in_with_a_token import sign_in
from booking_api_client.models import Booking, NewBookingRequest, SignInRequest, SignInResponse200


def signed_in(url: str, username: str, password: str) -> AuthenticatedClient:
    """A client that sends a token with every call."""
    with Client(base_url=url) as client:
        answer = sign_in.sync(client=client, body=SignInRequest(username=username, password=password))
    if not isinstance(answer, SignInResponse200):
        sys.exit(f"Refused: {answer}")
    return AuthenticatedClient(base_url=url, token=answer.auth_token, prefix="Token")


def book_first_hour(client: AuthenticatedClient) -> Booking:
    """The booking."""
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    slots = find_first_slots.sync(client=client, start=tomorrow, end=tomorrow + timedelta(days=1), duration=60)
    if not isinstance(slots, list) or not slots:
        sys.exit(f"Nothing is free tomorrow: {slots}")
    slot = slots[0]
    wanted = NewBookingRequest(
        resource=slot.resource, start_time=slot.start_time, end_time=slot.end_time, notes="Booked by a generated client"
    )
    # With a key of its own the call may be repeated as often as the network makes it necessary; it books once.
    booking = create_booking.sync(client=client, body=wanted, idempotency_key=str(uuid.uuid4()))
    if not isinstance(booking, Booking):
        sys.exit(f"Refused: {booking}")
    return booking


def main() -> None:
    """Book, and write the booking as JSON."""
    account = os.environ["BOOKING_USERNAME"], os.environ["BOOKING_PASSWORD"]
    with signed_in(os.environ["BOOKING_API"], *account) as client:
        sys.stdout.write(f"{json.dumps(book_first_hour(client).to_dict())}\n")


if __name__ == "__main__":
    main()
