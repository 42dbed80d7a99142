"""Somebody who calls a real server and looks at the clock."""

import http.client
import json
import time
from typing import Any

from core.models import Resource
from core.tests.support.factories import booking_body


class Caller:
    """Somebody who calls a server."""

    def __init__(self, address: tuple[str, int], token: str) -> None:
        self.address, self.token = address, token

    def book(self, room: Resource, **more: object) -> tuple[int, dict[str, Any], float]:
        """The status and the body of the answer to a booking, and how many seconds it took."""
        client = http.client.HTTPConnection(*self.address, timeout=60)
        headers = {
            "Authorization": f"Token {self.token}",
            "Content-Type": "application/json",
            "X-Forwarded-Proto": "https",
        }
        begun = time.monotonic()
        try:
            client.request("POST", "/api/bookings/", json.dumps(booking_body(room, **more)), headers)
            answer = client.getresponse()
            return answer.status, json.loads(answer.read()), time.monotonic() - begun
        finally:
            client.close()
