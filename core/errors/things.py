"""The errors about resources and accounts."""

from core.errors.base import BookingError


class ResourceMissing(BookingError):
    """No resource has the id."""

    code = "resource_missing"
    message = "There is no such resource."
    field = "resource"
    advice = "There is no resource of that id. List the resources."


class UserMissing(BookingError):
    """No user has the id."""

    code = "user_missing"
    message = "There is no such user."
    field = "user"
    advice = "There is no user of the id that staff sent in `user`."


class GroupMissing(BookingError):
    """No group has the id."""

    code = "group_missing"
    message = "There is no such group."
    field = "group"
    advice = "There is no group of the id that staff sent in `group`."


class CapacityTooSmall(BookingError):
    """The capacity is below 1."""

    code = "capacity_too_small"
    message = "The capacity must be at least 1."
    field = "capacity"
    advice = "Send a `capacity` of at least 1."


class ResourceHasBookings(BookingError):
    """Bookings refer to the resource."""

    code = "resource_has_bookings"
    message = "This resource has bookings and cannot be deleted. Set is_available to false to take it out of service."
    status = 409
    advice = "Set `is_available` to false instead."


class UsernameTaken(BookingError):
    """Another user has the name, in any case."""

    code = "username_taken"
    message = "A user with that username already exists. User names differ in more than their case."
    field = "username"
    advice = "Somebody took the user name at the same moment. Choose another one."


class EmailTaken(BookingError):
    """Another user has the e-mail address, in any case."""

    code = "email_taken"
    message = "A user with that email address already exists. Reset the password if the account is yours."
    field = "email"
    advice = "Somebody took the address at the same moment. Choose another one."
