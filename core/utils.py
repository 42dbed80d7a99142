"""Sends one e-mail: through SendGrid, or to the console."""

import base64
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import OpenerDirector, Request, build_opener

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

if TYPE_CHECKING:
    from python_http_client.exceptions import HTTPError

logger = logging.getLogger(__name__)

ACCEPTED = 202
# The client's timeout comes this much before the deadline: only the client knows whether SendGrid has the message.
GRACE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to a message."""

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
    """The provider did not accept a message.

    Attributes:
        can_retry: True if a later try with the same message may succeed.
        may_have_arrived: True if the provider received the message but did not answer in time.
    """

    def __init__(self, reason: str, *, can_retry: bool, may_have_arrived: bool = False) -> None:
        super().__init__(reason)
        self.can_retry = can_retry
        self.may_have_arrived = may_have_arrived


def deliver(message: Message) -> None:
    """Sends a message by the way that `EMAIL_USE` names.

    Each wait for the network is shorter than `SENDGRID_TIMEOUT_SECONDS`; only a caller can limit the whole call.

    Raises:
        DeliveryError: The message was not sent.
    """
    if settings.EMAIL_USE == "sendgrid":
        send_by_sendgrid(message)
    else:
        print_on_console(message)


# --- The console ------------------------------------------------------------------------------------------------------


def print_on_console(message: Message) -> None:
    """Prints a message through Django's e-mail backend.

    Raises:
        DeliveryError: The message cannot be printed, such as for a full disk or for an address with a line break.
    """
    mail = EmailMultiAlternatives(
        message.subject, message.text, settings.FROM_EMAIL, [message.to], headers=dict(message.headers)
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    for attachment in message.attachments:
        mail.attach(attachment.name, attachment.content, attachment.mimetype)
    try:
        mail.send()
    except Exception as error:
        raise DeliveryError(
            f"could not be printed on the console ({type(error).__name__})", can_retry=isinstance(error, OSError)
        ) from error


# --- SendGrid ---------------------------------------------------------------------------------------------------------


def send_by_sendgrid(message: Message) -> None:
    """Sends a message through SendGrid.

    Raises:
        DeliveryError: SendGrid rejects the message or does not answer; the text holds neither the key nor the message.
    """
    # Imported late: the import takes a tenth of a second, and most processes never call SendGrid.
    import sendgrid
    from python_http_client.client import Response
    from python_http_client.exceptions import HTTPError

    client = sendgrid.SendGridAPIClient(settings.SENDGRID_API_KEY, host=settings.SENDGRID_HOST).client.mail.send
    client.timeout = settings.SENDGRID_TIMEOUT_SECONDS - GRACE_SECONDS
    headers = {**client.request_headers, "Content-Type": "application/json"}
    body = json.dumps(sendgrid_body(message)).encode()
    try:
        # As `client.post`, which makes an opener for each call.
        request = Request(client._build_url(None), data=body, headers=headers, method="POST")
        status = Response(client._make_request(opener(), request)).status_code
    except HTTPError as error:
        can_retry = error.status_code == 429 or error.status_code >= 500
        raise DeliveryError(rejection(error), can_retry=can_retry) from error
    except (OSError, HTTPException) as error:
        # urllib raises URLError for every failure before the message was sent.
        may_have_arrived = not isinstance(error, URLError)
        reason = safe_reason(f"SendGrid error: {type(error).__name__}: {error}")
        raise DeliveryError(reason, can_retry=True, may_have_arrived=may_have_arrived) from error
    except Exception as error:
        # Only the type: the text of an error about a malformed key repeats the key.
        raise DeliveryError(f"SendGrid error: {type(error).__name__}", can_retry=False) from error
    if status != ACCEPTED:
        raise DeliveryError(f"SendGrid error: answered {status} instead of {ACCEPTED}", can_retry=False)


@cache
def opener() -> OpenerDirector:
    """Opens all connections of this process: its TLS context takes 40 ms of CPU time to make."""
    return build_opener()


def sendgrid_body(message: Message) -> dict[str, Any]:
    """Returns the body of `POST /v3/mail/send`; SendGrid requires plain text before HTML."""
    body: dict[str, Any] = {
        "personalizations": [{"to": [{"email": message.to}]}],
        "from": {"email": settings.FROM_EMAIL},
        "subject": message.subject,
        "content": [
            {"type": "text/plain", "value": message.text},
            {"type": "text/html", "value": message.html},
        ],
        # Links stay as they are: a counter in between would see secrets, and scanners would open links through it.
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
        },
    }
    if message.headers:
        body["headers"] = dict(message.headers)
    if message.attachments:
        body["attachments"] = [
            {
                "content": base64.b64encode(attachment.content).decode(),
                "type": attachment.mimetype,  # SendGrid accepts one parameter: `method` of a calendar
                "filename": attachment.name,
            }
            for attachment in message.attachments
        ]
    return body


def rejection(error: "HTTPError") -> str:
    """Returns SendGrid's status and the messages in the `errors` of the body, if the body has that form."""
    try:
        errors = json.loads(error.body)["errors"]
        reasons = [each["message"] + (f" [{each['field']}]" if each.get("field") else "") for each in errors]
    except (ValueError, TypeError, KeyError, AttributeError):
        reasons = []
    status = f"SendGrid error: {error.status_code} {error.reason}"
    return safe_reason(": ".join([status, "; ".join(reasons)]) if reasons else status)


def safe_reason(text: str) -> str:
    """Returns the text in one line of at most 300 characters, without the API key."""
    if settings.SENDGRID_API_KEY:
        text = text.replace(settings.SENDGRID_API_KEY, "***")
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:300]
