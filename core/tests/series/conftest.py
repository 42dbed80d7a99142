"""A series for the tests of the API."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from core.models import Resource
from core.tests.support.series import TEN, make_series


@pytest.fixture
def ten(as_alice: APIClient, room: Resource) -> dict[str, Any]:
    """The answer to a series of ten days from tomorrow on, 10 to 11, of alice."""
    return make_series(as_alice, room, TEN, notes="Weekly")
