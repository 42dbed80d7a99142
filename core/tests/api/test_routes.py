"""The set of addresses below /api/ and their methods: it changes only with a commit that means it."""

from django.urls import get_resolver

from core.tests.support.routes import ROUTES, leaves, methods_of


def test_the_addresses_and_their_methods_are_these() -> None:
    found = [(pattern.name, (address, methods_of(pattern))) for address, pattern in leaves(get_resolver().url_patterns)]
    assert dict(found) == ROUTES
    assert len(found) == len(ROUTES)
