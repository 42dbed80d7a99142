"""The channel of the outbox that sends e-mails."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from core.notifications import limits, mails
from core.notifications.models import Notification
from core.notifications.preferences import remember_address
from core.notifications.recipients import Recipient, recipient_of, staff_zones
from core.outbox.delivery import NotSent, Run, Tally, deliver
from core.utils import DeliveryError, Message, print_on_console
from core.utils import deliver as send_mail

logger = logging.getLogger(__name__)


class NotAccepted(NotSent):
    """The provider did not accept a message.

    Attributes:
        message: The rendered message.
        may_have_arrived: True if the provider may have accepted the message and only its answer was lost.
    """

    def __init__(self, message: Message, error: DeliveryError) -> None:
        super().__init__(str(error), can_retry=error.can_retry)
        self.message = message
        self.may_have_arrived = error.may_have_arrived


class EmailChannel:
    """Renders messages and sends them by e-mail; each run has its own object.

    Attributes:
        zones: The time zones of the claimed rows' staff addresses, by address.
        introduced: The users and addresses that this run has written to for the first time.
    """

    model = Notification

    def __init__(self) -> None:
        self.zones: dict[str, str] = {}
        self.introduced: set[tuple[int, str]] = set()

    def load(self, claimed: QuerySet[Notification]) -> list[Notification]:
        """Loads the rows with their users and preferences, and the time zones of the staff addresses."""
        rows = list(claimed.select_related("user__notification_preferences"))
        self.zones = staff_zones(rows)
        return rows

    def send(self, row: Notification, *, now: datetime) -> Mapping[str, object]:
        """Renders a message for its present recipient and sends it."""
        recipient = recipient_of(row, zones=self.zones, now=now)
        # The preferences were loaded before this run wrote to the address.
        if recipient.user_id is not None and (recipient.user_id, recipient.address) in self.introduced:
            recipient = replace(recipient, is_new=False)
        limits.require_allowed(row, recipient, now=now)
        message = self.render(row, recipient)
        try:
            send_mail(message)
        except DeliveryError as error:
            raise NotAccepted(message, error) from error
        if recipient.user_id is not None and recipient.is_new:
            remember_address(recipient.user_id, recipient.address)
            self.introduced.add((recipient.user_id, recipient.address))
        return {"to": recipient.address}

    def render(self, row: Notification, recipient: Recipient) -> Message:
        """Renders a message.

        Raises:
            NotSent: The message cannot be rendered.
        """
        try:
            return mails.render(row, recipient)
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
        if not isinstance(error, NotAccepted) or settings.EMAIL_USE == "console":
            logger.error("%s was not sent (%s); it is given up.", row, reason)
        elif error.may_have_arrived:
            logger.error("%s was perhaps not sent (%s); it is given up.", row, reason)
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
