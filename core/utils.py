"""E-mail delivery: through SendGrid, or printed on the console."""

import base64
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

if TYPE_CHECKING:
    from python_http_client.exceptions import HTTPError

logger = logging.getLogger(__name__)

ACCEPTED = 202
# The client's own time limit comes first, and knows whether the message was handed over.
GRACE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that a message carries."""

    name: str
    content: bytes
    mimetype: str


@dataclass(frozen=True, slots=True)
class Message:
    """One e-mail to one address."""

    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()


class DeliveryError(Exception):
    """A message did not reach the provider.

    Attributes:
        again: Whether the same message may go through later.
        perhaps: Whether it may have gone through all the same: the provider had it and did not answer in time.
    """

    def __init__(self, reason: str, *, again: bool, perhaps: bool = False) -> None:
        super().__init__(reason)
        self.again = again
        self.perhaps = perhaps


def deliver(message: Message) -> None:
    """Send a message the way the settings say, within `SENDGRID_TIMEOUT_SECONDS`.

    Raises:
        DeliveryError: When it did not go out.
    """
    if settings.EMAIL_USE == "sendgrid":
        send_by_sendgrid(message)
    else:
        print_on_console(message)


# --- The console ------------------------------------------------------------------------------------------------------


def print_on_console(message: Message) -> None:
    """Print it, by Django's own e-mail backend.

    Raises:
        DeliveryError: When that cannot be done, for a full disk or an address that fits no header.
    """
    mail = EmailMultiAlternatives(
        message.subject, message.text, settings.FROM_EMAIL, [message.to], headers=dict(message.headers)
    )
    mail.attach_alternative(message.html, "text/html")
    for attachment in message.attachments:
        mail.attach(attachment.name, attachment.content, attachment.mimetype)
    try:
        mail.send()
    except Exception as error:
        raise DeliveryError(
            f"could not be printed on the console ({type(error).__name__})", again=isinstance(error, OSError)
        ) from error


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
            f"no answer within {settings.SENDGRID_TIMEOUT_SECONDS} seconds", again=True, perhaps=True
        )

    def run(self) -> None:
        """Send it."""
        try:
            ask_sendgrid(self.message)
        except DeliveryError as error:
            self.error = error
        else:
            self.error = None


def send_by_sendgrid(message: Message) -> None:
    """Hand it to SendGrid, waiting at most `SENDGRID_TIMEOUT_SECONDS` and a moment for all of its answer.

    Raises:
        DeliveryError: When SendGrid refuses it or does not answer; its text holds neither the key nor the message.
    """
    attempt = Attempt(message)
    attempt.start()
    attempt.join(settings.SENDGRID_TIMEOUT_SECONDS + GRACE_SECONDS)
    if attempt.error is not None:
        raise attempt.error


def ask_sendgrid(message: Message) -> None:
    """The call itself, which waits that long for each part of the answer.

    Raises:
        DeliveryError: As above.
    """
    # The client takes a tenth of a second to load, which most processes never need.
    import sendgrid
    from python_http_client.exceptions import HTTPError

    client = sendgrid.SendGridAPIClient(settings.SENDGRID_API_KEY, host=settings.SENDGRID_HOST)
    client.client.timeout = settings.SENDGRID_TIMEOUT_SECONDS
    try:
        status = client.send(as_sendgrid_body(message)).status_code
    except HTTPError as error:
        again = error.status_code == 429 or error.status_code >= 500
        raise DeliveryError(refusal(error), again=again) from error
    except (OSError, HTTPException) as error:
        # urllib wraps what went wrong before the message was handed over.
        perhaps = not isinstance(error, URLError)
        reason = in_safe_words(f"{type(error).__name__}: {error}")
        raise DeliveryError(reason, again=True, perhaps=perhaps) from error
    except Exception as error:
        # Not the text of it: that of a key that fits no header repeats the key.
        raise DeliveryError(type(error).__name__, again=False) from error
    if status != ACCEPTED:
        raise DeliveryError(f"answered {status} instead of {ACCEPTED}", again=False)


def as_sendgrid_body(message: Message) -> dict[str, Any]:
    """The body of `POST /v3/mail/send`, plain text before HTML as SendGrid wants it."""
    body: dict[str, Any] = {
        "personalizations": [{"to": [{"email": message.to}]}],
        "from": {"email": settings.FROM_EMAIL},
        "subject": message.subject,
        "content": [
            {"type": "text/plain", "value": message.text},
            {"type": "text/html", "value": message.html},
        ],
    }
    if message.headers:
        body["headers"] = dict(message.headers)
    if message.attachments:
        body["attachments"] = [
            {
                "content": base64.b64encode(attachment.content).decode(),
                "type": attachment.mimetype,  # of its parameters SendGrid takes `method` of a calendar, and no other
                "filename": attachment.name,
            }
            for attachment in message.attachments
        ]
    return body


def refusal(error: "HTTPError") -> str:
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
