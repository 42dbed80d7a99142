"""Clients of the API and browsers of the admin, as behind the proxy of production."""

from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient


def client_of(user: User | None = None) -> APIClient:
    """A client behind the proxy of production, with the user's token."""
    client = APIClient(HTTP_X_FORWARDED_PROTO="https", raise_request_exception=False)
    if user is not None:
        token, _ = Token.objects.get_or_create(user=user)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


def pages_of(user: User) -> Client:
    """A browser behind the proxy of production, signed in to the admin."""
    client = Client(HTTP_X_FORWARDED_PROTO="https", raise_request_exception=False)
    client.force_login(user)
    return client
