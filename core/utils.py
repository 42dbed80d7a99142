"""Sends one e-mail: through SendGrid, through a mail server (SMTP), or to the console."""

import base64
import json
import logging
from functools import cache
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import OpenerDirector, Request, build_opener

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import console

from core.mail import smtp
from core.mail.messages import GRACE_SECONDS, Attachment, DeliveryError, Message, mail_of, safe_reason

if TYPE_CHECKING:
    from python_http_client.exceptions import HTTPError

__all__ = ["Attachment", "DeliveryError", "Message", "deliver", "print_on_console", "send_by_sendgrid"]

logger = logging.getLogger(__name__)

ACCEPTED = 202


def deliver(message: Message) -> None:
    """Sends a message by the way that `EMAIL_USE` names.

    Each wait for the network is shorter than `EMAIL_TIMEOUT_SECONDS`; only a caller can limit the whole call.

    Raises:
        DeliveryError: The message was not sent.
    """
    if settings.EMAIL_USE == "sendgrid":
        send_by_sendgrid(message)
    elif settings.EMAIL_USE == "smtp":
        smtp.send(message)
    else:
        print_on_console(message)


# --- The console ------------------------------------------------------------------------------------------------------


class ConsoleBackend(console.EmailBackend):
    """Prints what a person reads of a message: its sender, receiver and subject, and its text."""

    def write_message(self, message: EmailMessage) -> None:
        message.message()  # refuses a header with a line break
        head = f"From: {message.from_email}\nTo: {', '.join(message.to)}\nSubject: {message.subject}\n\n"
        text = str(message.body).rstrip("\n")
        self.stream.write(f"{head}{text}\n{'-' * 79}\n")


class LineBackend(console.EmailBackend):
    """Prints a message in one line: its receiver, its subject, and the first link of its text to where people book."""

    def write_message(self, message: EmailMessage) -> None:
        message.message()  # refuses a header with a line break
        origins = tuple(origin for origin in (settings.HOME_URL, settings.PUBLIC_URL) if origin)
        link = next((line for line in str(message.body).splitlines() if origins and line.startswith(origins)), "")
        self.stream.write(" ".join(f"Mail to {', '.join(message.to)}: {message.subject} {link}".split()) + "\n")


def print_on_console(message: Message) -> None:
    """Prints a message through Django's e-mail backend.

    Raises:
        DeliveryError: The message cannot be printed, such as for a full disk or for an address with a line break.
    """
    try:
        mail_of(message).send()
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
    client.timeout = settings.EMAIL_TIMEOUT_SECONDS - GRACE_SECONDS
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
        "from": {"email": settings.FROM_EMAIL, **({"name": settings.FROM_NAME} if settings.FROM_NAME else {})},
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
    if settings.REPLY_TO:
        body["reply_to"] = {"email": settings.REPLY_TO}
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
