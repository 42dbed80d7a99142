"""The commands of the operators: ensure_superuser, create_user_profiles, seed_demo."""

import io

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from core.models import Booking, Resource, Series, UserProfile
from core.record.models import BookingEvent
from core.tests.support.factories import PASSWORD, make_resource, make_user
from core.tests.support.settings import load_settings


def run(command):
    """What the command says."""
    out = io.StringIO()
    call_command(command, stdout=out, no_color=True)
    return out.getvalue()


@pytest.fixture
def environment(monkeypatch, settings):
    """Reads the settings of the commands from an environment with these variables and no others."""

    def environment(**variables):
        read = load_settings(monkeypatch, **variables)
        settings.FIRST_SUPERUSER = read["FIRST_SUPERUSER"]
        settings.DEMO_PASSWORD = read["DEMO_PASSWORD"]

    environment()
    return environment


CHIEF = {
    "DJANGO_SUPERUSER_USERNAME": "chief",
    "DJANGO_SUPERUSER_EMAIL": "Chief@Example.org",
    "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
}


@pytest.mark.django_db
class TestEnsureSuperuser:
    def test_it_makes_the_first_one(self, environment):
        environment(**CHIEF)

        said = run("ensure_superuser")

        chief = User.objects.get()
        assert (chief.username, chief.email) == ("chief", "chief@example.org")
        assert chief.is_superuser
        assert chief.is_staff
        assert chief.check_password(PASSWORD)
        assert UserProfile.objects.get().user == chief
        assert "chief" in said
        assert PASSWORD not in said

    def test_it_does_nothing_where_there_is_one(self, environment, root):
        environment(**CHIEF)
        before = User.objects.values().get()

        said = run("ensure_superuser")

        assert "already" in said
        assert User.objects.values().get() == before

    def test_run_twice_it_makes_one(self, environment):
        environment(**CHIEF)
        run("ensure_superuser")
        environment(**{**CHIEF, "DJANGO_SUPERUSER_PASSWORD": "another-horse-8-battery"})

        run("ensure_superuser")

        assert User.objects.get().check_password(PASSWORD)

    def test_staff_are_no_superusers(self, environment, admin):
        environment(**CHIEF)

        run("ensure_superuser")

        assert User.objects.filter(is_superuser=True).get().username == "chief"

    @pytest.mark.parametrize("missing", [*([name] for name in CHIEF), list(CHIEF)], ids=" ".join)
    @pytest.mark.parametrize("how", ["not set", "empty"])
    def test_without_the_variables_it_makes_none_and_says_which_to_set(self, environment, missing, how):
        environment(**{name: value for name, value in CHIEF.items() if name not in missing})
        if how == "empty":
            environment(**{**CHIEF, **dict.fromkeys(missing, " ")})

        said = run("ensure_superuser")

        assert not User.objects.exists()
        assert {name for name in CHIEF if name in said} == set(missing)

    @pytest.mark.parametrize(
        "wrong",
        [
            pytest.param({"DJANGO_SUPERUSER_PASSWORD": "password"}, id="weak password"),
            pytest.param({"DJANGO_SUPERUSER_PASSWORD": "chief-200"}, id="password like the name"),
            pytest.param({"DJANGO_SUPERUSER_EMAIL": "chief"}, id="no address"),
            pytest.param({"DJANGO_SUPERUSER_USERNAME": "two words"}, id="no user name"),
            pytest.param({"DJANGO_SUPERUSER_USERNAME": "ALICE"}, id="name of another user"),
            pytest.param({"DJANGO_SUPERUSER_EMAIL": "alice@example.org"}, id="address of another user"),
        ],
    )
    def test_what_cannot_be_is_a_clear_error(self, environment, alice, wrong):
        environment(**{**CHIEF, **wrong})

        with pytest.raises(CommandError, match="No superuser was made") as caught:
            run("ensure_superuser")

        assert CHIEF["DJANGO_SUPERUSER_PASSWORD"] not in str(caught.value)
        assert User.objects.get() == alice


@pytest.mark.django_db
class TestCreateUserProfiles:
    def test_everybody_without_one_gets_one(self, alice):
        User.objects.bulk_create([User(username=f"user{number}") for number in range(3)])

        said = run("create_user_profiles")

        assert "3 profiles were made" in said
        assert UserProfile.objects.count() == User.objects.count() == 4

    def test_run_twice_it_makes_none(self, alice):
        User.objects.bulk_create([User(username="bulk")])
        UserProfile.objects.update(profile_picture="https://example.org/a.png")
        run("create_user_profiles")
        before = list(UserProfile.objects.order_by("pk").values())

        said = run("create_user_profiles")

        assert "0 profiles were made" in said
        assert list(UserProfile.objects.order_by("pk").values()) == before

    def test_many_are_done_in_batches(self, django_assert_max_num_queries):
        User.objects.bulk_create([User(username=f"user{number}") for number in range(2500)])

        with django_assert_max_num_queries(25):
            said = run("create_user_profiles")

        assert "2500 profiles were made" in said
        assert UserProfile.objects.count() == 2500


@pytest.mark.django_db
class TestSeedDemo:
    @pytest.fixture(autouse=True)
    def _a_developers_machine(self, settings, environment):
        settings.DEBUG = True
        environment(DEMO_PASSWORD="demo-words-for-all")

    def test_it_fills_an_empty_database(self, django_capture_on_commit_callbacks):
        with django_capture_on_commit_callbacks(execute=True):
            said = run("seed_demo")

        users = User.objects.all()
        kinds = {(user.is_staff, user.is_superuser) for user in users}
        assert kinds == {(True, True), (True, False), (False, False)}
        assert all(user.check_password("demo-words-for-all") for user in users)
        assert all(user.email and user.profile for user in users)
        assert Resource.objects.count() >= 5
        assert Booking.objects.exists()
        for user in users:
            kind = "superuser" if user.is_superuser else "staff" if user.is_staff else "user"
            assert f"{user.username} ({kind})" in said
        assert "demo-words-for-all" in said
        assert mail.outbox == []

    def test_its_resources_are_of_different_kinds(self):
        run("seed_demo")

        for flag in ("is_available", "requires_approval"):
            assert set(Resource.objects.values_list(flag, flat=True)) == {True, False}
        assert len(set(Booking.objects.values_list("status", flat=True))) >= 3

    def test_it_has_a_weekly_meeting_of_which_nobody_gets_an_email(self):
        run("seed_demo")

        series = Series.objects.get()
        dates = list(series.bookings.order_by("start_time"))
        assert len(dates) == 12
        assert {f"{date.start_time:%a %H:%M}" for date in dates} == {"Tue 09:00"}
        assert {date.status for date in dates} == {"confirmed"}
        assert (dates[0].start_time - timezone.now()).days >= 13
        acts = BookingEvent.objects.filter(series_id=series.pk)
        assert sorted(acts.values_list("kind", flat=True)) == ["booking.created"] * 12 + ["series.made"]
        assert not BookingEvent.objects.filter(handed_at=None).exists()

    def test_run_twice_it_changes_nothing_and_says_the_sign_ins_again(self):
        run("seed_demo")
        before = [list(model.objects.order_by("pk").values()) for model in (User, Resource, Booking, UserProfile)]

        said = run("seed_demo")

        after = [list(model.objects.order_by("pk").values()) for model in (User, Resource, Booking, UserProfile)]
        assert after == before
        assert "demo-words-for-all" in said
        assert all(name in said for name in User.objects.values_list("username", flat=True))

    def test_it_is_refused_with_debug_off(self, settings):
        settings.DEBUG = False

        with pytest.raises(CommandError, match="DEBUG"):
            run("seed_demo")

        assert not User.objects.exists()

    @pytest.mark.parametrize("value", [None, "", "  "], ids=["not set", "empty", "blank"])
    def test_it_needs_a_password(self, environment, value):
        environment(**({} if value is None else {"DEMO_PASSWORD": value}))

        with pytest.raises(CommandError, match="DEMO_PASSWORD is not set"):
            run("seed_demo")

        assert not User.objects.exists()
        assert not Resource.objects.exists()

    @pytest.mark.parametrize("what", ["a user", "a resource"])
    def test_a_database_in_use_is_left_alone(self, what):
        make_user("carol") if what == "a user" else make_resource()

        said = run("seed_demo")

        assert User.objects.count() + Resource.objects.count() == 1
        assert not Booking.objects.exists()
        assert "not empty" in said
        assert "demo-words-for-all" not in said


@pytest.mark.django_db
class TestCreateSuperuser:
    @pytest.mark.parametrize("name", ["ALICE", "ａｌｉｃｅ", "Ａｌｉｃｅ"])
    def test_a_name_that_is_taken_in_any_case_ends_in_a_sentence(self, alice, name):
        with pytest.raises(CommandError, match="already"):
            call_command("createsuperuser", username=name, email="new@example.org", interactive=False)

        assert User.objects.get() == alice

    def test_so_does_one_with_an_umlaut(self):
        make_user("jürgen")

        with pytest.raises(CommandError, match="already"):
            call_command("createsuperuser", username="JÜRGEN", email="new@example.org", interactive=False)

        assert User.objects.count() == 1

    def test_so_does_an_address(self, alice):
        with pytest.raises(CommandError, match="already"), transaction.atomic():
            call_command("createsuperuser", username="new", email="ALICE@example.org", interactive=False)

        assert User.objects.get() == alice

    def test_a_name_that_imitates_another_is_refused(self, alice):
        with pytest.raises(CommandError, match="one script"):
            call_command("createsuperuser", username="\u0430lice", email="new@example.org", interactive=False)

        assert User.objects.get() == alice

    def test_a_free_name_makes_a_superuser(self):
        call_command("createsuperuser", username="chief", email="Chief@Example.org", interactive=False, verbosity=0)

        assert User.objects.values_list("username", "email", "is_superuser").get() == (
            "chief",
            "chief@example.org",
            True,
        )

    def test_the_prompt_asks_again(self, alice, monkeypatch, capsys):
        answers = iter(["ALICE", "chief", "chief@example.org"])
        monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
        monkeypatch.setattr("getpass.getpass", lambda *prompt: PASSWORD)
        terminal = io.StringIO()
        terminal.isatty = lambda: True

        call_command("createsuperuser", stdin=terminal)

        assert "already exists" in capsys.readouterr().err
        assert User.objects.get(username="chief").is_superuser
