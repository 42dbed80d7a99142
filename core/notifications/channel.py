"""The channel of the outbox that sends e-mails."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from core.notifications import limits, mails
from core.notifications.models import Notification
from core.notifications.preferences import remember_address
from core.notifications.recipients import Recipient, is_to_new, recipient_of, staff_zones
from core.outbox.channels import NotSent
from core.outbox.delivery import Run, Tally, deliver
from core.utils import DeliveryError, Message, print_on_console
from core.utils import deliver as send_mail

logger = logging.getLogger(__name__)


# Enough that a few calls that hang delay no other, and few enough for a small machine.
AT_ONCE = 5


class NotAccepted(NotSent):
    """The provider did not accept a message.

    Attributes:
        message: The rendered message.
    """

    def __init__(self, message: Message, error: DeliveryError) -> None:
        super().__init__(str(error), can_retry=error.can_retry, may_have_arrived=error.may_have_arrived)
        self.message = message


@dataclass(frozen=True, slots=True)
class Mail:
    """A rendered message and its recipient."""

    recipient: Recipient
    message: Message


class EmailChannel:
    """Renders messages and sends them by e-mail."""

    model = Notification

    @property
    def seconds(self) -> float:
        answer = settings.EMAIL_ANSWER_SECONDS if settings.EMAIL_USE == "smtp" else 0
        return settings.EMAIL_TIMEOUT_SECONDS + answer

    @property
    def at_once(self) -> int:
        # The lines of two messages would mix on the console.
        return 1 if settings.EMAIL_USE == "console" else AT_ONCE

    def ready(self, due: QuerySet[Notification], on_their_way: Sequence[Mail]) -> QuerySet[Notification]:
        """Leaves out users whose first message is on its way: only once it has arrived, the next is not the first."""
        new = [mail.recipient for mail in on_their_way if mail.recipient.is_new]
        users = [recipient.user_id for recipient in new if recipient.user_id is not None]
        return due.exclude(user_id__in=users).select_related("user__notification_preferences")

    def together(self, rows: Sequence[Notification]) -> list[Notification]:
        """Leaves out further messages to a new user, as `ready` does."""
        first: dict[int | None, Notification] = {}
        return [row for row in rows if first.setdefault(row.user_id, row) is row or not is_to_new(row)]

    def prepare(self, row: Notification, *, now: datetime) -> Mail:
        """Renders a message for its present recipient."""
        recipient = recipient_of(row, zones=staff_zones([row]), now=now)
        limits.require_allowed(row, recipient, now=now)
        return Mail(recipient, self.render(row, recipient, now=now))

    def send(self, mail: Mail) -> None:
        try:
            send_mail(mail.message)
        except DeliveryError as error:
            raise NotAccepted(mail.message, error) from error

    def sent(self, mail: Mail) -> Mapping[str, object]:
        if mail.recipient.user_id is not None and mail.recipient.is_new:
            remember_address(mail.recipient.user_id, mail.recipient.address)
        return {"to": mail.recipient.address}

    def render(self, row: Notification, recipient: Recipient, *, now: datetime) -> Message:
        """Renders a message.

        Raises:
            NotSent: The message cannot be rendered.
        """
        try:
            return mails.render(row, recipient, now=now)
        except Exception as error:
            # Another try would fail alike; staff can resend the message once the cause is mended.
            logger.exception("%s cannot be rendered.", row)
            raise NotSent(f"cannot be rendered: {type(error).__name__}", can_retry=False) from error

    def give_up(self, row: Notification, error: NotSent) -> None:
        """Prints the message on the console, unless it was never rendered or may have arrived.

        With `DEBUG` off the console is a log that others read: it gets the receiver and the subject alone, since the
        text may hold a secret link or notes.
        """
        reason = str(error)[:300]
        if error.may_have_arrived:
            logger.error("%s was perhaps not sent (%s); it is given up.", row, reason)
        elif not isinstance(error, NotAccepted) or settings.EMAIL_USE == "console":
            logger.error("%s was not sent (%s); it is given up.", row, reason)
        else:
            logger.error("%s was not sent (%s); it is printed on the console instead.", row, reason)
            try:
                print_on_console(error.message if settings.DEBUG else without_contents(error.message))
            except DeliveryError as console_error:
                logger.error("%s %s.", row, console_error)


def without_contents(message: Message) -> Message:
    """The message with its receiver and its subject alone."""
    left_out = "The text is left out here, because it may hold a secret link.\n"
    return Message(to=message.to, subject=message.subject, text=left_out, html="")


def deliver_emails(run: Run) -> Tally:
    """Delivers all due messages: a job of the worker."""
    return deliver(EmailChannel(), run)
