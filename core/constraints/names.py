"""The names of the constraints, and a limit that stands in one."""

NO_OVERLAP = "core_booking_no_overlap"
END_AFTER_START = "core_booking_end_after_start"
TIMES_COMPARE = "core_booking_times_compare_as_text"
STATUS_KNOWN = "core_booking_status_known"
CLOSURE_HAS_NO_USER = "core_booking_closure_has_no_user"
CAPACITY_AT_LEAST_ONE = "core_resource_capacity_at_least_one"
ONE_OF_EACH_DATE = "core_booking_one_of_each_date"
RECORD_APPEND_ONLY = "core_bookingevent_append_only"
RECORD_OF_A_BOOKING = "core_bookingevent_of_a_booking"
LARGEST_CAPACITY = 2_147_483_647
USERNAME_UNIQUE = "core_user_username_folded"
EMAIL_UNIQUE = "core_user_email_folded"
