"""A message, the error of a failed delivery, and the reason that the log may show."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

# A client's timeout comes this much before the deadline: only the client knows whether the provider has the message.
GRACE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to a message."""

    name: str
    content: bytes
    mimetype: str


@dataclass(frozen=True, slots=True)
class Message:
    """One e-mail to one address.

    Attributes:
        message_id: The `Message-ID` of each try (RFC 5322), by which a receiver recognises a repetition; or empty.
    """

    to: str
    subject: str
    text: str
    html: str
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    message_id: str = ""


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


def mail_of(message: Message) -> EmailMultiAlternatives:
    """Returns a message in Django's form."""
    headers = dict(message.headers)
    if message.message_id:
        headers["Message-ID"] = message.message_id
    mail = EmailMultiAlternatives(
        message.subject,
        message.text,
        str(Address(settings.FROM_NAME, addr_spec=settings.FROM_EMAIL)),
        [message.to],
        headers=headers,
        reply_to=[settings.REPLY_TO] if settings.REPLY_TO else None,
    )
    if message.html:
        mail.attach_alternative(message.html, "text/html")
    for attachment in message.attachments:
        mail.attach(attachment.name, attachment.content, attachment.mimetype)
    return mail


def safe_reason(text: str) -> str:
    """Returns the text in one line of at most 300 characters, without the API key and the password."""
    for secret in secrets():
        text = text.replace(secret, "***")
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.split())[:300]


def secrets() -> Iterator[str]:
    """Yields what a provider could repeat of the credentials: as they are, and as AUTH sends them (RFC 4616)."""
    if settings.SENDGRID_API_KEY:
        yield settings.SENDGRID_API_KEY
    user, password = (settings.EMAIL_SERVER.get(name, "") for name in ("username", "password"))
    if password:
        for sent in (f"\0{user}\0{password}", password):
            yield base64.b64encode(sent.encode()).decode()
        yield password
