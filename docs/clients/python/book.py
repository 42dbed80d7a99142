"""Books the first free hour of tomorrow on whatever resource has one. Needs httpx, and nothing of this project.

pip install httpx
BOOKING_API=http://127.0.0.1:8000 BOOKING_USERNAME=bert BOOKING_PASSWORD=... python book.py
"""

import json
import os
import sys
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

ATTEMPTS = 3


class Refused(Exception):
    """The API said no; `code` is for programs, the message for people."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.code = problem["code"]
        super().__init__(f"{self.code}: {problem['detail']}")


def answer_of(response: httpx.Response) -> Any:  # noqa: ANN401 - any JSON
    """What the API answered.

    Raises:
        Refused: When it is an error.
    """
    if response.is_error:
        raise Refused(response.json())
    return response.json()


def sign_in(api: httpx.Client, username: str, password: str) -> None:
    """Send a token with every call from now on."""
    found = answer_of(api.post("/api/auth/token/login/", json={"username": username, "password": password}))
    api.headers["Authorization"] = f"Token {found['auth_token']}"


def book_first_hour(api: httpx.Client) -> dict[str, Any]:
    """The booking."""
    tomorrow = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    window = {"start": tomorrow.isoformat(), "end": (tomorrow + timedelta(days=1)).isoformat(), "duration": 60}
    slots = answer_of(api.get("/api/availability/", params=window))
    if not slots:
        sys.exit("Nothing is free tomorrow.")
    wanted = {name: slots[0][name] for name in ("resource", "start_time", "end_time")}
    return post_once(api, "/api/bookings/", {**wanted, "notes": "Booked from Python"})


def post_once(api: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Post, and post again where the network fails: with a key of its own the call happens once, however often."""
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return answer_of(api.post(path, json=body, headers=headers))
        except httpx.TransportError:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("not reached")


def main() -> None:
    """Book, and write the booking as JSON."""
    with httpx.Client(base_url=os.environ["BOOKING_API"], timeout=30) as api:
        sign_in(api, os.environ["BOOKING_USERNAME"], os.environ["BOOKING_PASSWORD"])
        sys.stdout.write(f"{json.dumps(book_first_hour(api))}\n")


if __name__ == "__main__":
    main()
