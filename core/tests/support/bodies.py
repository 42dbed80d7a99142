"""Bodies that the test client's own encoder would not send."""

import json

from django.http import HttpResponseBase
from rest_framework.test import APIClient

NO_OBJECTS = ([], "x", 3, None, True, [{}])


def send_json(client: APIClient, method: str, path: str, content: object) -> HttpResponseBase:
    """Sends JSON in plain ASCII: half surrogate pairs travel as escapes, and None as `null`."""
    return client.generic(method.upper(), path, json.dumps(content), content_type="application/json")


def post_json(client: APIClient, path: str, content: object) -> HttpResponseBase:
    """Posts JSON in plain ASCII."""
    return send_json(client, "post", path, content)
