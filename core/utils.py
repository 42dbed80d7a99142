"""E-mail delivery: through SendGrid, or printed on the console."""

import json
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

import sendgrid
from asgiref.local import Local
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.signals import request_finished, request_started
from django.dispatch import receiver
from python_http_client.exceptions import HTTPError

logger = logging.getLogger(__name__)

ACCEPTED = 202

_request = Local()


@dataclass(frozen=True, slots=True)
class Message:
    """One e-mail to one address."""

    to: str
    subject: str
    text: str
    html: str


class DeliveryError(Exception):
    """A message did not reach the provider.

    Attributes:
        again: Whether the same message may go through later.
    """

    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def deliver(messages: Sequence[Message]) -> None:
    """Send messages the way the settings say; what SendGrid does not take is logged and printed instead.

    Returns within `SENDGRID_TIMEOUT_SECONDS`, however many there are, and raises nothing: what they tell has happened.
    """
    left = not_taken_by_sendgrid(messages) if settings.EMAIL_USE == "sendgrid" else messages
    for message in left:
        try:
            print_on_console(message)
        except Exception as error:  # noqa: BLE001 - a full disk or a strange address must not undo what has happened
            logger.error("A message could not be printed on the console (%s).", type(error).__name__)


def print_on_console(message: Message) -> None:
    """Print it, by Django's own e-mail backend."""
    mail = EmailMultiAlternatives(message.subject, message.text, settings.FROM_EMAIL, [message.to])
    mail.attach_alternative(message.html, "text/html")
    mail.send()


# --- SendGrid ---------------------------------------------------------------------------------------------------------


class Attempt(threading.Thread):
    """One message on its way to SendGrid, in a thread of its own that can be left behind.

    The client's time limit is one for each read from its socket, so that an answer that trickles in would outlast it.

    Attributes:
        error: Why the message was not taken; None once it was.
    """

    def __init__(self, message: Message) -> None:
        super().__init__(name="sendgrid", daemon=True)
        self.message = message
        self.error: DeliveryError | None = DeliveryError(
            f"no answer within {settings.SENDGRID_TIMEOUT_SECONDS} seconds", again=True
        )

    def run(self) -> None:
        """Send it."""
        try:
            send_by_sendgrid(self.message)
        except DeliveryError as error:
            self.error = error
        else:
            self.error = None


def not_taken_by_sendgrid(messages: Sequence[Message]) -> list[Message]:
    """Hand messages to SendGrid, all at once, and answer with those it did not take in time.

    After a request has waited in vain, it waits no more: the rest of its messages are not tried.
    """
    if getattr(_request, "waited_in_vain", False):
        logger.error("SendGrid did not answer before; %d more printed on the console instead.", len(messages))
        return list(messages)
    deadline = time.monotonic() + settings.SENDGRID_TIMEOUT_SECONDS
    attempts = [Attempt(message) for message in messages]
    for attempt in attempts:
        attempt.start()
    left = []
    for attempt in attempts:
        attempt.join(max(0.0, deadline - time.monotonic()))
        error = attempt.error
        if error is not None:
            logger.error("SendGrid did not take a message (%s); it is printed on the console instead.", error)
            left.append(attempt.message)
    if time.monotonic() >= deadline and hasattr(_request, "waited_in_vain"):
        _request.waited_in_vain = True
    return left


@receiver(request_started, dispatch_uid="core.utils.begin_request")
def begin_request(**kwargs: Any) -> None:  # noqa: ANN401 - the signal's own
    """A new request has waited for nothing yet."""
    _request.waited_in_vain = False


@receiver(request_finished, dispatch_uid="core.utils.end_request")
def end_request(**kwargs: Any) -> None:  # noqa: ANN401 - the signal's own
    """Outside requests nobody waits for an answer."""
    if hasattr(_request, "waited_in_vain"):
        del _request.waited_in_vain


def send_by_sendgrid(message: Message) -> None:
    """Hand it to SendGrid, waiting at most `SENDGRID_TIMEOUT_SECONDS` for each part of its answer.

    Raises:
        DeliveryError: When SendGrid refuses it or does not answer; its text holds neither the key nor the message.
    """
    client = sendgrid.SendGridAPIClient(settings.SENDGRID_API_KEY, host=settings.SENDGRID_HOST)
    client.client.timeout = settings.SENDGRID_TIMEOUT_SECONDS
    try:
        status = client.send(as_sendgrid_body(message)).status_code
    except HTTPError as error:
        again = error.status_code == 429 or error.status_code >= 500
        raise DeliveryError(refusal(error), again=again) from error
    except (OSError, HTTPException) as error:
        raise DeliveryError(in_safe_words(f"{type(error).__name__}: {error}"), again=True) from error
    except Exception as error:
        # Not the text of it: that of a key that fits no header repeats the key.
        raise DeliveryError(type(error).__name__, again=False) from error
    if status != ACCEPTED:
        raise DeliveryError(f"answered {status} instead of {ACCEPTED}", again=False)


def as_sendgrid_body(message: Message) -> dict[str, Any]:
    """The body of `POST /v3/mail/send`, plain text before HTML as SendGrid wants it."""
    return {
        "personalizations": [{"to": [{"email": message.to}]}],
        "from": {"email": settings.FROM_EMAIL},
        "subject": message.subject,
        "content": [
            {"type": "text/plain", "value": message.text},
            {"type": "text/html", "value": message.html},
        ],
    }


def refusal(error: HTTPError) -> str:
    """SendGrid's own reasons: the status and the `errors` of the body, where it has that form."""
    try:
        reasons = [f"{reason['message']} [{reason.get('field')}]" for reason in json.loads(error.body)["errors"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        reasons = []
    return in_safe_words(" ".join([f"{error.status_code} {error.reason}", *reasons]))


def in_safe_words(text: str) -> str:
    """The text in one line of at most 300 characters, without the key."""
    if settings.SENDGRID_API_KEY:
        text = text.replace(settings.SENDGRID_API_KEY, "***")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]
