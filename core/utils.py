"""E-mail delivery: through SendGrid, or printed on the console."""

import logging
from dataclasses import dataclass

import sendgrid
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from python_http_client.exceptions import HTTPError
from sendgrid.helpers.mail import Mail

logger = logging.getLogger(__name__)


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


def deliver(message: Message) -> None:
    """Send a message the way the settings say; what SendGrid does not take is logged and printed instead."""
    if settings.EMAIL_USE == "sendgrid":
        try:
            send_by_sendgrid(message)
        except DeliveryError as error:
            logger.error("SendGrid did not take a message (%s); it is printed on the console instead.", error)
        else:
            return
    print_on_console(message)


def print_on_console(message: Message) -> None:
    """Print it, by Django's own e-mail backend."""
    mail = EmailMultiAlternatives(message.subject, message.text, settings.FROM_EMAIL, [message.to])
    mail.attach_alternative(message.html, "text/html")
    mail.send()


def send_by_sendgrid(message: Message) -> None:
    """Hand it to SendGrid within `SENDGRID_TIMEOUT_SECONDS`.

    Raises:
        DeliveryError: When SendGrid refuses it or does not answer in time.
    """
    client = sendgrid.SendGridAPIClient(settings.SENDGRID_API_KEY, host=settings.SENDGRID_HOST)
    client.client.timeout = settings.SENDGRID_TIMEOUT_SECONDS
    mail = Mail(settings.FROM_EMAIL, message.to, message.subject, message.text, message.html)
    try:
        client.send(mail)
    except HTTPError as error:
        again = error.status_code == 429 or error.status_code >= 500
        raise DeliveryError(f"{error.status_code} {error.reason}: {error.body!r}"[:500], again=again) from error
    except (OSError, ValueError) as error:
        raise DeliveryError(f"{type(error).__name__}: {error}", again=True) from error
