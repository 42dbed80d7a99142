"""The Content-Security-Policy of every answer."""

import pytest
from django.test import Client

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "style-src-attr 'unsafe-inline'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}


@pytest.mark.parametrize(
    "page", ["/admin/", "/admin/nothing/", "/api/resources/", "/api/nothing/", "/health/", "/nothing"]
)
def test_every_answer_says_what_a_page_may_load(admin_pages: Client, page: str) -> None:
    answer = admin_pages.get(page)
    assert set(answer.headers["Content-Security-Policy"].split("; ")) == POLICY


def test_browsers_find_an_icon(admin_pages: Client) -> None:
    answer = admin_pages.get("/favicon.ico")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/static/core/icon.")
