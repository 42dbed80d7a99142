"""E-mail as a channel of the outbox."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from core.notifications import mails
from core.notifications.models import Notification
from core.notifications.preferences import remember_address
from core.notifications.recipients import Recipient, recipient_of, staff_zones
from core.outbox.delivery import NotSent, Run, Tally, deliver
from core.utils import DeliveryError, Message, print_on_console
from core.utils import deliver as send_mail

logger = logging.getLogger(__name__)


class NotTaken(NotSent):
    """The provider did not take a message.

    Attributes:
        message: The message as it was rendered.
        may_have_arrived: True if the provider may have taken the message and only the answer was lost.
    """

    def __init__(self, message: Message, error: DeliveryError) -> None:
        super().__init__(str(error), can_retry=error.can_retry)
        self.message = message
        self.may_have_arrived = error.may_have_arrived


class EmailChannel:
    """Renders messages and sends them by e-mail; one object for each run."""

    model = Notification

    def __init__(self) -> None:
        self.zones: dict[str, str] = {}
        self.greeted: set[tuple[int | None, str]] = set()

    def load(self, claimed: QuerySet[Notification]) -> list[Notification]:
        """The rows with their users and the users' preferences; the zones of staff beside them."""
        rows = list(claimed.select_related("user__notification_preferences"))
        self.zones = staff_zones(rows)
        return rows

    def send(self, row: Notification, *, now: datetime) -> Mapping[str, object]:
        """Render a message for its recipient as things are now, and send it."""
        recipient = recipient_of(row, zones=self.zones, now=now)
        if (recipient.user_id, recipient.address) in self.greeted:
            recipient = replace(recipient, is_new=False)
        message = self.render(row, recipient)
        try:
            send_mail(message)
        except DeliveryError as error:
            raise NotTaken(message, error) from error
        if recipient.is_new:
            remember_address(recipient.user_id, recipient.address)
            self.greeted.add((recipient.user_id, recipient.address))
        return {"to": recipient.address}

    def render(self, row: Notification, recipient: Recipient) -> Message:
        """The message.

        Raises:
            NotSent: When it cannot be rendered.
        """
        try:
            return mails.render(row, recipient)
        except Exception as error:
            logger.exception("%s cannot be made.", row)
            raise NotSent(f"{type(error).__name__} in rendering", can_retry=True) from error

    def give_up(self, row: Notification, error: NotSent) -> None:
        """Print a message on the console, unless it was never rendered or may have arrived."""
        reason: Any = str(error)[:300]
        if not isinstance(error, NotTaken) or settings.EMAIL_USE == "console":
            logger.error("%s was not sent (%s); it is given up.", row, reason)
        elif error.may_have_arrived:
            logger.error("%s was perhaps not sent (%s); it is given up.", row, reason)
        else:
            logger.error("%s was not sent (%s); it is printed on the console instead.", row, reason)
            try:
                print_on_console(error.message)
            except DeliveryError as worse:
                logger.error("%s %s.", row, worse)


def deliver_emails(run: Run) -> Tally:
    """Deliver all messages that are due: a job of the worker."""
    return deliver(EmailChannel(), run)
