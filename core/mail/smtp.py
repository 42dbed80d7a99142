"""Sends one e-mail through a mail server, by SMTP (RFC 5321)."""

import contextlib
import smtplib
import ssl
import time
from functools import cache
from itertools import groupby
from typing import Any

from django.conf import settings
from django.core.mail.backends import smtp
from django.utils.encoding import force_bytes

from core.mail.messages import GRACE_SECONDS, DeliveryError, Message, mail_of, safe_reason

# The longest wait for the answer to QUIT, when the message is already sent or refused.
QUIT_SECONDS = 0.5
# What an answer quotes from a message is left out of its reason: words that are this long, and this many in a row.
LONG_WORD, WORDS_IN_A_ROW = 12, 4


class Session(smtplib.SMTP):
    """A session with a mail server, with one deadline for all of it, and a later one for the answer to the message.

    Attributes:
        deadline: When the session ends, in seconds of the steady clock; an answer in many parts may exceed it.
        is_whole: True once the whole message is on its way; without an answer, the server may have accepted it.
    """

    is_whole = False

    def __init__(self, host: str, port: int, *, timeout: float, **more: Any) -> None:  # noqa: ANN401 - Django's own
        self.deadline = time.monotonic() + timeout
        super().__init__(host, port, timeout=timeout, **more)

    def send(self, s: Any) -> None:  # noqa: ANN401 - the library's own
        self.limit_wait()
        super().send(s)
        # Commands are text. Only the message is bytes, which end with the line of one dot.
        if isinstance(s, bytes) and not self.is_whole:
            self.is_whole = True
            self.deadline += settings.EMAIL_ANSWER_SECONDS

    def getreply(self) -> tuple[int, bytes]:
        self.limit_wait()
        return super().getreply()

    def limit_wait(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(max(self.deadline - time.monotonic(), 0.01))

    def quit(self) -> tuple[int, bytes]:
        """Ends the session; whatever the server answers, the outcome of the message stands."""
        self.deadline = min(self.deadline, time.monotonic() + QUIT_SECONDS)
        answer = (0, b"")
        with contextlib.suppress(OSError):
            answer = self.docmd("quit")
        self.close()
        return answer


class EncryptedSession(Session, smtplib.SMTP_SSL):
    """A session that is encrypted from its first byte on."""


class SmtpBackend(smtp.EmailBackend):
    """Django's own backend, with the deadline of `Session`."""

    @property
    def connection_class(self) -> type[Session]:
        return EncryptedSession if self.use_ssl else Session

    @property
    def ssl_context(self) -> ssl.SSLContext:
        return tls_context()

    @property
    def is_whole(self) -> bool:
        return isinstance(self.connection, Session) and self.connection.is_whole


@cache
def tls_context() -> ssl.SSLContext:
    """Verifies certificates and host names in all sessions of this process; it takes 40 ms of CPU time to make."""
    return ssl.create_default_context()


def send(message: Message) -> None:
    """Sends a message through the mail server of `EMAIL_URL`, in a session of its own.

    Raises:
        DeliveryError: The server rejects the message or cannot be talked to; the text holds neither the password nor
            the message.
    """
    backend = SmtpBackend(**settings.EMAIL_SERVER, timeout=settings.EMAIL_TIMEOUT_SECONDS - GRACE_SECONDS)
    try:
        backend.open()
        backend.send_messages([mail_of(message)])
    except Exception as error:
        raise smtp_failure(error, message, is_whole=backend.is_whole) from error
    finally:
        backend.close()


def smtp_failure(error: Exception, message: Message, *, is_whole: bool) -> DeliveryError:
    """Returns the typed error: answers from 500 to 599 are for good (RFC 5321, section 4.2.1), other trouble passes.

    Args:
        error: What the library raised.
        message: The message, none of which gets into the reason.
        is_whole: True if the server has the whole message.
    """
    if not isinstance(error, OSError):
        # Only the type: the text of an error about a malformed value repeats the value.
        return DeliveryError(f"SMTP error: {type(error).__name__}", can_retry=False)
    code, reply = answer_of(error)
    if not code:
        reason = safe_reason(f"SMTP error: {type(error).__name__}: {without_quotes(str(error), message)}")
        return DeliveryError(reason, can_retry=True, may_have_arrived=is_whole)
    reason = safe_reason(f"SMTP error: {code} {without_quotes(reply, message)}")
    return DeliveryError(reason, can_retry=not 500 <= code <= 599, may_have_arrived=is_whole and code < 400)


def answer_of(error: OSError) -> tuple[int, str]:
    """Returns the code and the text of the server's answer; 0 if no answer came."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            code, reply = next(iter(error.recipients.values()))
        case smtplib.SMTPResponseException():
            code, reply = error.smtp_code, force_bytes(error.smtp_error)
        case _:
            return 0, ""
    return code, reply.decode(errors="replace")


def without_quotes(reply: str, message: Message) -> str:
    """Returns the answer of a mail server with `…` for each quotation from the message, such as a secret link."""
    body = " ".join(f"{message.text} {message.html}".split())
    for word in sorted({word for word in body.split() if len(word) >= LONG_WORD}, key=len, reverse=True):
        reply = reply.replace(word, "…")
    words = reply.split()
    quoted = {number for number, word in enumerate(words) if len(word) >= LONG_WORD and word in body}
    for first in range(len(words) - WORDS_IN_A_ROW + 1):
        if " ".join(words[first : first + WORDS_IN_A_ROW]) in body:
            quoted.update(range(first, first + WORDS_IN_A_ROW))
    shown = ["…" if number in quoted else word for number, word in enumerate(words)]
    return " ".join(word for word, _ in groupby(shown))
