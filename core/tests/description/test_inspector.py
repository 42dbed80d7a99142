"""A new view is described by its own declarations: permissions, query parameters, limits, entity tags and errors."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import path
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.extensions import OpenApiViewExtension
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.views import APIView

from core.api.description import describe
from core.api.query import ListParameters, WindowParameters
from core.api.views import ApiView
from core.availability.serializers import SlotSerializer
from core.errors import BookingEnded
from core.schema.generator import Generator
from core.staff.base import ChangedMeanwhile


@pytest.fixture(autouse=True)
def _no_description_stays() -> Iterator[None]:
    """The descriptions of a test go with the test."""
    registered = list(OpenApiViewExtension._registry)
    yield
    OpenApiViewExtension._registry[:] = registered


def described(view: type[APIView], *, address: str = "api/gates/", **words: Any) -> dict[str, Any]:
    """The operation GET of a view at an address."""
    describe(view, "Bookings", get=extend_schema(operation_id="getGate", description="A gate.", **words))
    document = Generator(patterns=[path(address, view.as_view())]).get_schema(public=True)
    return document["paths"]["/" + address.replace("<int:id>", "{id}")]["get"]


def codes(operation: dict[str, Any], status: str) -> set[str]:
    """The codes of the errors of a status."""
    return set(operation["responses"][status]["content"]["application/json"]["examples"])


class GateView(ApiView, APIView):
    """For staff, with a window."""

    permission_classes = (IsAdminUser,)
    serializer_class = SlotSerializer
    query = WindowParameters

    def get(self, request: Any, **options: Any) -> None: ...


class OpenGatesView(ApiView, APIView):
    """For everybody, in pages, without limits."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    serializer_class = SlotSerializer
    query = ListParameters
    limits = {"get": ()}

    def get(self, request: Any, **options: Any) -> None: ...


def test_a_view_for_staff() -> None:
    gate = described(GateView, address="api/gates/<int:id>/")
    assert gate["security"] == [{"Token": []}, {"JWT": []}]
    assert [one["name"] for one in gate["parameters"]] == ["id", "start", "end", "format"]
    assert gate["responses"]["200"]["description"] == "The gate."
    assert {"not_authenticated", "authentication_failed", "token_not_valid"} < codes(gate, "401")
    assert codes(gate, "403") == {"permission_denied"}
    assert codes(gate, "404") == {"not_found"}
    assert codes(gate, "429") == {"throttled"}
    assert "RateLimit" in gate["responses"]["403"]["headers"]


def test_an_open_view_without_limits() -> None:
    gates = described(OpenGatesView)
    assert gates["security"] == [{}]
    assert [one["name"] for one in gates["parameters"]] == ["limit", "cursor", "count", "format"]
    assert gates["responses"]["200"]["description"] == "The gates."
    assert set(gates["responses"]["200"]["headers"]) == {"X-Request-ID", "Link", "X-Total-Count"}
    assert not {"401", "403", "404", "429"} & set(gates["responses"])


def test_a_further_error_is_named_by_its_class() -> None:
    gate = described(GateView, extensions={"x-errors": (BookingEnded,)})
    assert codes(gate, "403") == {"permission_denied", "booking_ended"}
    assert "x-errors" not in gate


def test_an_error_without_advice_stops_make_schema(capsys: pytest.CaptureFixture[str]) -> None:
    described(GateView, extensions={"x-errors": (ChangedMeanwhile,)})
    assert GENERATOR_STATS
    assert "names the error 'changed_meanwhile'" in capsys.readouterr().err
