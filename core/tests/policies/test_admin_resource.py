"""The page of a resource in the admin: its week, limits, exceptions and quotas, and the picture of open time."""

import html
import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.models import Booking, OpeningException, OpeningHours, Quota, Resource, ResourcePolicy
from core.policies.picture import open_time
from core.tests.support.clients import pages_of
from core.tests.support.closures import make_closure
from core.tests.support.factories import at, make_booking, make_resource
from core.tests.support.oracle import next_change
from core.tests.support.parallel import in_parallel
from core.tests.support.rules import add_exception, add_quota, day_of, set_hours, set_policy

RESOURCES = "/admin/core/resource/"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SPLIT = [["09:00", "12:00"], ["13:00", "17:00"]]


def page_of(resource: Resource) -> str:
    return f"{RESOURCES}{resource.pk}/change/"


def typed(pages: Client, resource: Resource, **more: object) -> dict[str, object]:
    """What a browser sends of the page when `more` was typed."""
    answer = pages.get(page_of(resource))
    form = answer.context["adminform"].form
    sent = {name: form[name].value() for name in form.fields}
    for formset in (each.formset for each in answer.context["inline_admin_formsets"]):
        rows = [formset.management_form, *formset.forms]
        sent |= {row.add_prefix(name): row[name].value() for row in rows for name in row.fields}
    sent = {name: value for name, value in sent.items() if value is not None and value is not False}
    return {**sent, **more}


def week_of(resource: Resource) -> dict[int, list[list[str]]]:
    week: dict[int, list[list[str]]] = {}
    for row in OpeningHours.objects.filter(resource=resource):
        week.setdefault(row.weekday, []).append([f"{row.opens:%H:%M}", f"{row.closes:%H:%M}"])
    return week


def errors_of(answer: object) -> dict[str, list[str]]:
    assert answer.status_code == 200
    found = dict(answer.context["adminform"].form.errors.items())
    for formset in (each.formset for each in answer.context["inline_admin_formsets"]):
        for number, errors in enumerate(formset.errors):
            found |= {f"{formset.prefix}-{number}-{name}": said for name, said in errors.items()}
        if formset.non_form_errors():
            found[formset.prefix] = list(formset.non_form_errors())
    return found


def said(answer: object) -> list[str]:
    return [message.message for message in get_messages(answer.wsgi_request)]


class TestTheWeek:
    def test_a_week_is_written_in_a_minute(self, admin_pages: Client, room: Resource) -> None:
        sent = typed(admin_pages, room, hours_monday="9-12, 13:00–17", as_monday="on", hours_saturday="10:00-24:00")
        assert admin_pages.post(page_of(room), sent).status_code == 302
        assert week_of(room) == {**dict.fromkeys(range(1, 6), SPLIT), 6: [["10:00", "00:00"]]}
        room.refresh_from_db()
        assert room.has_terms

    def test_the_page_shows_the_stored_week(self, admin_pages: Client, as_admin: APIClient, room: Resource) -> None:
        set_hours(as_admin, room, ("09:00", "12:00"), ("13:00", "17:00"), days=[1])
        page = admin_pages.get(page_of(room)).content.decode()
        assert 'name="hours_monday" value="09:00-12:00, 13:00-17:00"' in page

    def test_a_new_resource_has_its_hours_and_limits_at_once(self, admin_pages: Client, db: None) -> None:
        sent = {"name": "Van", "capacity": "7", "hours_friday": "22:00-02:00", "max_minutes": "60"}
        assert admin_pages.post(f"{RESOURCES}add/", sent).status_code == 302
        van = Resource.objects.get()
        assert (week_of(van), van.policy.max_minutes, van.has_terms) == ({5: [["22:00", "02:00"]]}, 60, True)

    def test_an_empty_week_is_always_open(self, admin_pages: Client, as_admin: APIClient, room: Resource) -> None:
        set_hours(as_admin, room, ("09:00", "17:00"))
        sent = typed(admin_pages, room, **{f"hours_{day}": "" for day in DAYS})
        admin_pages.post(page_of(room), sent)
        room.refresh_from_db()
        assert (week_of(room), room.has_terms) == ({}, False)

    def test_saving_the_page_as_it_is_changes_nothing(
        self, admin_pages: Client, as_admin: APIClient, room: Resource
    ) -> None:
        set_hours(as_admin, room, ("09:00", "17:00"))
        set_policy(as_admin, room, max_minutes=60, no_own_overlap=False)
        add_exception(as_admin, room, day_of(), None, ("10:00", "12:00"), name="Fair")
        add_quota(as_admin, resource=room.pk, kind="active", limit=2)
        before = [list(table.objects.values()) for table in (OpeningHours, ResourcePolicy, OpeningException, Quota)]
        moment = Resource.objects.get().updated_at
        answer = admin_pages.post(page_of(room), typed(admin_pages, room))
        assert (answer.status_code, errors_of(answer) if answer.status_code == 200 else {}) == (302, {})
        after = [list(table.objects.values()) for table in (OpeningHours, ResourcePolicy, OpeningException, Quota)]
        assert (after, Resource.objects.get().updated_at) == (before, moment)
        assert LogEntry.objects.get().get_change_message() == "No fields changed."

    def test_a_program_that_knows_no_hours_leaves_them_as_they_are(
        self, admin_pages: Client, as_admin: APIClient, room: Resource
    ) -> None:
        set_hours(as_admin, room, ("09:00", "17:00"))
        set_policy(as_admin, room, max_minutes=60, no_own_overlap=True)
        add_quota(as_admin, resource=room.pk, kind="active", limit=2)
        sent = {"name": "Green room", "capacity": "1", "is_available": "on"}
        assert admin_pages.post(page_of(room), sent).status_code == 302
        assert week_of(room) == dict.fromkeys(range(1, 8), [["09:00", "17:00"]])
        policy = ResourcePolicy.objects.get()
        assert (policy.max_minutes, policy.no_own_overlap, Quota.objects.count()) == (60, True, 1)

    @pytest.mark.parametrize(
        "text",
        [
            "nine to five",
            "9",
            "25:00-26:00",
            "09:60-10:00",
            "24:00-10:00",
            "\0",
            "x" * 5000,
            "٩-١٧",
            "9-12,13",
            "-",
            "9-24:30",
        ],
        ids=lambda text: repr(text)[:20],
    )
    def test_hours_that_are_none_are_a_form_error(self, admin_pages: Client, room: Resource, text: str) -> None:
        answer = admin_pages.post(page_of(room), typed(admin_pages, room, hours_monday=text))
        assert list(errors_of(answer)) == ["hours_monday"]
        assert not OpeningHours.objects.exists()

    def test_hours_that_overlap_are_a_form_error(self, admin_pages: Client, room: Resource) -> None:
        answer = admin_pages.post(page_of(room), typed(admin_pages, room, hours_monday="9-12, 11-13", name="New"))
        assert errors_of(answer) == {"hours_monday": ["Two periods of one day overlap at 11:00. Make them one."]}
        assert Resource.objects.get().name == "Blue room"

    def test_a_week_that_somebody_changed_meanwhile_is_not_overwritten(
        self, admin_pages: Client, as_admin: APIClient, room: Resource
    ) -> None:
        opened = typed(admin_pages, room, hours_monday="9-12")
        set_hours(as_admin, room, ("08:00", "10:00"))
        found = errors_of(admin_pages.post(page_of(room), opened))
        assert "Somebody changed the opening hours" in found["__all__"][0]
        assert week_of(room)[1] == [["08:00", "10:00"]]

    def test_the_time_zone_is_a_field_of_the_page(self, admin_pages: Client, room: Resource) -> None:
        admin_pages.post(page_of(room), typed(admin_pages, room, time_zone="Asia/Tokyo"))
        room.refresh_from_db()
        assert room.time_zone == "Asia/Tokyo"
        assert "by the clock of Asia/Tokyo" in admin_pages.get(page_of(room)).content.decode()
        answer = admin_pages.post(page_of(room), typed(admin_pages, room, time_zone="Berlin"))
        assert list(errors_of(answer)) == ["time_zone"]


class TestLimits:
    def test_limits_are_written_and_taken_away(self, admin_pages: Client, room: Resource) -> None:
        sent = typed(admin_pages, room, min_minutes="30", buffer_after_minutes="15", no_own_overlap="on")
        assert admin_pages.post(page_of(room), sent).status_code == 302
        policy = ResourcePolicy.objects.get()
        assert (policy.min_minutes, policy.buffer_after_minutes, policy.no_own_overlap) == (30, 15, True)
        assert (policy.max_minutes, policy.may_span_closed) == (None, None)
        room.refresh_from_db()
        assert (room.has_terms, room.buffer_reach_minutes) == (True, 15)

        sent = typed(admin_pages, room, min_minutes="", buffer_after_minutes="")
        del sent["no_own_overlap"]
        admin_pages.post(page_of(room), sent)
        room.refresh_from_db()
        assert (ResourcePolicy.objects.exists(), room.has_terms) == (False, False)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("min_minutes", "0"),
            ("max_minutes", "-1"),
            ("grid_minutes", "1441"),
            ("notice_minutes", "soon"),
            ("advance_days", "1827"),
            ("buffer_before_minutes", "1441"),
            ("cancel_notice_minutes", "9" * 30),
            ("change_notice_minutes", "9" * 5000),
            ("copy_from", "x"),
            ("copy_from", "9" * 30),
            ("copy_from", "\0"),
        ],
        ids=lambda value: repr(value)[:20],
    )
    def test_garbage_is_a_form_error(self, admin_pages: Client, room: Resource, field: str, value: str) -> None:
        answer = admin_pages.post(page_of(room), typed(admin_pages, room, **{field: value}))
        assert list(errors_of(answer)) == [field]
        assert not ResourcePolicy.objects.exists()

    def test_a_longest_booking_below_the_shortest_is_a_form_error(self, admin_pages: Client, room: Resource) -> None:
        answer = admin_pages.post(page_of(room), typed(admin_pages, room, min_minutes="60", max_minutes="30"))
        assert errors_of(answer) == {"max_minutes": ["The longest booking is shorter than the shortest."]}
        assert not ResourcePolicy.objects.exists()

    def test_hours_and_limits_are_copied_from_another_resource(
        self, admin_pages: Client, as_admin: APIClient, room: Resource, lab: Resource
    ) -> None:
        set_hours(as_admin, lab, ("09:00", "17:00"))
        set_policy(as_admin, lab, max_minutes=60)
        sent = typed(admin_pages, room, copy_from=lab.pk, hours_monday="1-2", min_minutes="7")
        assert admin_pages.post(page_of(room), sent).status_code == 302
        assert week_of(room) == week_of(lab)
        assert (room.policy.max_minutes, room.policy.min_minutes) == (60, None)
        assert OpeningHours.objects.filter(resource=lab).count() == 7

    def test_the_picker_of_the_other_resource_finds_resources(
        self, admin_pages: Client, room: Resource, lab: Resource
    ) -> None:
        page = admin_pages.get(page_of(room)).content.decode()
        [picker] = re.findall(r'<select name="copy_from"[^>]*>', page)
        names = dict(re.findall(r'data-(app-label|model-name|field-name)="(\w+)"', picker))
        asked = {name.replace("-", "_"): value for name, value in names.items()}
        found = admin_pages.get("/admin/autocomplete/", {**asked, "term": "lab"}).json()["results"]
        assert found == [{"id": str(lab.pk), "text": "Lab"}]

    @pytest.mark.django_db(transaction=True)
    def test_a_save_of_the_page_does_not_hide_a_policy_that_came_at_the_same_moment(
        self, admin_pages: Client, as_admin: APIClient, room: Resource
    ) -> None:
        sent = typed(admin_pages, room, description="New")
        in_parallel(
            [
                lambda: admin_pages.post(page_of(room), sent),
                lambda: as_admin.put(f"/api/resources/{room.pk}/policy/", {"max_minutes": 60}),
            ]
        )
        stored = Resource.objects.get()
        assert (stored.has_terms, stored.description) == (True, "New")


class TestExceptionsAndQuotas:
    def test_an_exception_is_added_changed_and_deleted_in_the_table(self, admin_pages: Client, room: Resource) -> None:
        row = {"opening_exceptions-0-first_day": day_of(3), "opening_exceptions-0-name": "Fair"}
        sent = typed(admin_pages, room, **row, **{"opening_exceptions-0-hours": "9-12,13-17"})
        answer = admin_pages.post(page_of(room), sent)
        assert answer.status_code == 302, errors_of(answer)
        stored = OpeningException.objects.get()
        assert (stored.resource, stored.first_day, stored.last_day) == (room, day_of(3), day_of(3))
        assert (stored.name, stored.hours) == ("Fair", SPLIT)
        room.refresh_from_db()
        assert room.has_terms

        admin_pages.post(page_of(room), typed(admin_pages, room, **{"opening_exceptions-0-hours": ""}))
        stored.refresh_from_db()
        assert (stored.name, stored.hours) == ("Fair", [])

        admin_pages.post(page_of(room), typed(admin_pages, room, **{"opening_exceptions-0-DELETE": "on"}))
        room.refresh_from_db()
        assert (OpeningException.objects.exists(), room.has_terms) == (False, False)

    def test_a_quota_is_added_changed_and_deleted_in_the_table(self, admin_pages: Client, room: Resource) -> None:
        students = Group.objects.create(name="students")
        row = {
            "quotas-0-group": students.pk,
            "quotas-0-kind": "count",
            "quotas-0-limit": "3",
            "quotas-0-period": "week",
        }
        answer = admin_pages.post(page_of(room), typed(admin_pages, room, **row))
        assert answer.status_code == 302, errors_of(answer)
        quota = Quota.objects.get()
        assert (quota.resource, quota.group, quota.kind, quota.limit) == (room, students, "count", 3)

        admin_pages.post(page_of(room), typed(admin_pages, room, **{"quotas-0-limit": "4"}))
        quota.refresh_from_db()
        assert quota.limit == 4

        admin_pages.post(page_of(room), typed(admin_pages, room, **{"quotas-0-DELETE": "on"}))
        room.refresh_from_db()
        assert (Quota.objects.exists(), room.has_terms) == (False, False)

    def test_two_exceptions_of_one_length_on_one_day_are_refused(
        self, admin_pages: Client, as_admin: APIClient, room: Resource
    ) -> None:
        add_exception(as_admin, room, day_of(3), name="Fair")
        row = {"opening_exceptions-1-first_day": day_of(3), "opening_exceptions-1-name": "Other"}
        found = errors_of(admin_pages.post(page_of(room), typed(admin_pages, room, **row, name="New")))
        assert "There is an exception of the same length" in found["__all__"][0]
        assert (OpeningException.objects.count(), Resource.objects.get().name) == (1, "Blue room")

    def test_one_exception_takes_the_place_of_another_in_one_save(
        self, admin_pages: Client, as_admin: APIClient, room: Resource
    ) -> None:
        add_exception(as_admin, room, day_of(3), name="Fair")
        row = {
            "opening_exceptions-0-DELETE": "on",
            "opening_exceptions-1-first_day": day_of(3),
            "opening_exceptions-1-name": "Other",
        }
        assert admin_pages.post(page_of(room), typed(admin_pages, room, **row)).status_code == 302
        assert OpeningException.objects.get().name == "Other"

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"opening_exceptions-0-first_day": "05/12/2026"}, "opening_exceptions-0-first_day"),
            ({"opening_exceptions-0-first_day": "1812-01-01"}, "opening_exceptions-0-first_day"),
            (
                {"opening_exceptions-0-first_day": "2026-01-02", "opening_exceptions-0-last_day": "2026-01-01"},
                "opening_exceptions-0-last_day",
            ),
            (
                {"opening_exceptions-0-first_day": "2026-01-01", "opening_exceptions-0-last_day": "2027-01-02"},
                "opening_exceptions-0-last_day",
            ),
            ({"opening_exceptions-0-name": "Fair"}, "opening_exceptions-0-first_day"),
            (
                {"opening_exceptions-0-first_day": "2026-01-01", "opening_exceptions-0-name": "x" * 201},
                "opening_exceptions-0-name",
            ),
            (
                {"opening_exceptions-0-first_day": "2026-01-01", "opening_exceptions-0-hours": "always"},
                "opening_exceptions-0-hours",
            ),
            ({"opening_exceptions-TOTAL_FORMS": "x"}, "opening_exceptions"),
            ({"quotas-0-limit": "3", "quotas-0-kind": "active", "quotas-0-period": "day"}, "quotas-0-period"),
            ({"quotas-0-limit": "3", "quotas-0-kind": "count"}, "quotas-0-period"),
            ({"quotas-0-limit": "0", "quotas-0-kind": "active"}, "quotas-0-limit"),
            ({"quotas-0-limit": "9" * 30, "quotas-0-kind": "active"}, "quotas-0-limit"),
            ({"quotas-0-limit": "1", "quotas-0-kind": "x"}, "quotas-0-kind"),
            ({"quotas-0-limit": "1", "quotas-0-kind": "active", "quotas-0-group": "9" * 30}, "quotas-0-group"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_garbage_is_a_form_error(
        self, admin_pages: Client, room: Resource, sent: dict[str, str], field: str
    ) -> None:
        found = errors_of(admin_pages.post(page_of(room), typed(admin_pages, room, **sent)))
        assert field in found
        assert not OpeningException.objects.exists()
        assert not Quota.objects.exists()

    @pytest.mark.parametrize("key", ["x", "9" * 30, "9" * 5000, "\0", "-1", ""], ids=lambda key: repr(key)[:10])
    def test_a_row_that_is_none_is_no_error_page(
        self, admin_pages: Client, as_admin: APIClient, room: Resource, key: str
    ) -> None:
        add_quota(as_admin, resource=room.pk, kind="active", limit=2)
        sent = typed(admin_pages, room, **{"quotas-0-id": key, "quotas-0-limit": "7"})
        assert admin_pages.post(page_of(room), sent).status_code in (200, 302)
        assert Quota.objects.get().limit == 2

    def test_the_row_of_another_resource_is_left_alone(
        self, admin_pages: Client, as_admin: APIClient, room: Resource, lab: Resource
    ) -> None:
        add_quota(as_admin, resource=room.pk, kind="active", limit=2)
        other = add_quota(as_admin, resource=lab.pk, kind="active", limit=5)
        sent = typed(admin_pages, room, **{"quotas-0-id": other["id"], "quotas-0-DELETE": "on"})
        assert admin_pages.post(page_of(room), sent).status_code in (200, 302)
        assert Quota.objects.count() == 2

    def test_a_row_that_somebody_deleted_meanwhile_is_no_error_page(
        self, admin_pages: Client, as_admin: APIClient, room: Resource
    ) -> None:
        add_quota(as_admin, resource=room.pk, kind="active", limit=2)
        sent = typed(admin_pages, room, **{"quotas-0-limit": "7"})
        Quota.objects.all().delete()
        assert admin_pages.post(page_of(room), sent).status_code == 200
        assert not Quota.objects.exists()

    def test_a_resource_with_a_thousand_exceptions_has_a_page_that_can_be_saved(
        self, admin_pages: Client, room: Resource
    ) -> None:
        days = [day_of(number) for number in range(1000)]
        OpeningException.objects.bulk_create(
            OpeningException(resource=room, first_day=day, last_day=day) for day in days
        )
        sent = typed(admin_pages, room, **{"opening_exceptions-29-name": "Thirty"})
        assert len(sent) < 300
        assert admin_pages.post(page_of(room), sent).status_code == 302
        assert OpeningException.objects.filter(name="Thirty").count() == 1
        assert OpeningException.objects.count() == 1000


class TestWhatNoLongerFits:
    def test_the_page_says_how_many_bookings_no_longer_fit_and_links_them(
        self, admin_pages: Client, alice: User, room: Resource
    ) -> None:
        early, late = make_booking(alice, room, at(7)), make_booking(alice, room, at(20))
        make_booking(alice, room, at(10))
        sent = typed(admin_pages, room, **{f"hours_{day}": "9-17" for day in DAYS})
        answer = admin_pages.post(page_of(room), sent, follow=True)
        page = answer.content.decode()
        [link] = re.findall(r'href="([^"]*)">2 coming bookings no longer fit</a>', page)
        shown = admin_pages.get(html.unescape(link)).context["cl"].queryset
        assert set(shown) == {early, late}
        assert set(Booking.objects.values_list("status", flat=True)) == {"confirmed"}

    @pytest.mark.parametrize(
        "sent",
        [
            {"max_minutes": "30"},
            {"time_zone": "Asia/Tokyo"},
            {"opening_exceptions-0-first_day": day_of()},
        ],
        ids=["limits", "zone", "exception"],
    )
    def test_a_change_of_limits_zone_or_exceptions_says_it_too(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource, sent: dict
    ) -> None:
        set_hours(as_admin, room, ("09:00", "17:00"))
        make_booking(alice, room)
        answer = admin_pages.post(page_of(room), typed(admin_pages, room, **sent))
        assert answer.status_code == 302, errors_of(answer)
        assert any("1 coming booking no longer fits" in sentence for sentence in said(answer))

    def test_a_change_of_the_name_says_nothing(
        self, admin_pages: Client, as_admin: APIClient, alice: User, room: Resource
    ) -> None:
        make_booking(alice, room, at(20))
        set_hours(as_admin, room, ("09:00", "17:00"))
        answer = admin_pages.post(page_of(room), typed(admin_pages, room, name="New"))
        assert not any("fit" in sentence for sentence in said(answer))


class TestThePicture:
    def test_two_weeks_are_told_by_shapes_and_in_words(
        self, admin_pages: Client, as_admin: APIClient, admin: User, room: Resource
    ) -> None:
        set_hours(as_admin, room, ("09:00", "12:00"), ("22:00", "02:00"))
        add_exception(as_admin, room, day_of(3), name="Holiday")
        make_closure(admin, room, start=at(10, day=5), end=at(11, day=5), reason="Repair <b>")
        rows = {row.day: row for row in open_time(Resource.objects.with_house().get(), now=timezone.now())}
        assert len(rows) == 14
        late = "open 00:00–02:00, 09:00–12:00, 22:00–24:00"
        assert rows[day_of(2)].words == late
        assert rows[day_of(3)].words == "open 00:00–02:00; closed: Holiday"
        assert rows[day_of(4)].words == "open 09:00–12:00, 22:00–24:00"
        assert rows[day_of(5)].words == (
            "open 00:00–02:00, 09:00–10:00, 11:00–12:00, 22:00–24:00; closure 10:00–11:00: Repair <b>"
        )

        page = admin_pages.get(page_of(room)).content.decode()
        assert page.count('<th scope="row">') >= 14
        assert "closure 10:00–11:00: Repair &lt;b&gt;" in page
        assert '<rect class="part-closure" x="600" width="60"' in page

    def test_it_is_drawn_on_the_clock_of_the_resource(self, admin_pages: Client, as_admin: APIClient) -> None:
        resource = make_resource(time_zone="Asia/Tokyo")
        set_hours(as_admin, resource, ("09:00", "17:00"))
        page = admin_pages.get(page_of(resource)).content.decode()
        assert "by the clock of Asia/Tokyo" in page
        assert "open 09:00–17:00" in page

    def test_a_resource_without_hours_is_open_all_day(self, room: Resource) -> None:
        rows = open_time(Resource.objects.with_house().get(), now=timezone.now())
        assert {row.words for row in rows} == {"open 00:00–24:00"}

    @pytest.mark.parametrize(
        ("zone", "first"), [("Europe/Berlin", "00:00"), ("Africa/Cairo", "01:00")], ids=["Berlin", "Cairo at midnight"]
    )
    def test_the_days_on_which_clocks_change_have_no_gap(self, as_admin: APIClient, zone: str, first: str) -> None:
        resource = make_resource(time_zone=zone)
        set_hours(as_admin, resource, ("00:00", "00:00"))
        autumn_and_spring = [next_change(zone, at(0))]
        autumn_and_spring.append(next_change(zone, autumn_and_spring[0]))
        words: set[str] = set()
        for change in autumn_and_spring:
            rows = open_time(Resource.objects.with_house().get(), now=change - timedelta(days=3))
            words |= {row.words for row in rows}
        assert words == {"open 00:00–24:00", f"open {first}–24:00"}


class TestWhoMay:
    def test_ordinary_staff_may_and_others_may_not(self, alice: User, admin: User, room: Resource) -> None:
        for path in ("resource", "openingexception", "quota", "closure"):
            for page in ("", "add/"):
                assert pages_of(admin).get(f"/admin/core/{path}/{page}").status_code == 200
                refused = pages_of(alice).get(f"/admin/core/{path}/{page}")
                assert refused.status_code == 302
                assert "/admin/login/" in refused["Location"]
        pages_of(alice).post(page_of(room), {"name": "x", "capacity": "1", "hours_monday": "9-12"})
        assert not OpeningHours.objects.exists()
