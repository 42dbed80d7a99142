"""The settings file: which lines count, and what `manage.py check` says of the others."""

import os
import subprocess
import sys

import pytest

from core.tests.support.environment import ROOT, SETTING

SECRET = "six-copper-lanterns"
BASE = f"SECRET_KEY={SECRET}\nDEBUG=True\n"


def run(file, *command, **variables):
    """What a fresh interpreter says with this settings file, and none of our variables in its environment."""
    ours = (*SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8")), "PORT", "WEB_CONCURRENCY")
    clean = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**clean, "BOOKING_ENV_FILE": str(file), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def asked(tmp_path):
    """The values of settings with these lines in the file."""

    def asked(lines, *names):
        (tmp_path / "ours").write_text(BASE + lines)
        told = ", ".join(f"settings.{name}" for name in names)
        code = f"import booking_system_api.settings as settings; print({told})"
        done = run(tmp_path / "ours", "-c", code)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return asked


@pytest.fixture
def warnings(tmp_path):
    """The warnings of `manage.py check` about these lines, which come after two others; none shows a value."""

    def warnings(lines, **variables):
        (tmp_path / "ours").write_text(BASE + lines, encoding="utf-8")
        done = run(tmp_path / "ours", "manage.py", "check", **variables)
        assert done.returncode == 0, done.stderr
        assert SECRET not in done.stderr
        return [line.partition(") ")[2] for line in done.stderr.splitlines() if line.startswith("?: (core.W002)")]

    return warnings


class TestTheLinesThatCount:
    @pytest.mark.parametrize(
        "lines",
        [
            "export LOG_LEVEL=ERROR\n",
            "export   LOG_LEVEL='ERROR'\n",
            "\texport\tLOG_LEVEL = ERROR \n",
            "LOG_LEVEL=INFO\nexport LOG_LEVEL=ERROR\n",
            "export LOG_LEVEL=INFO\nLOG_LEVEL=DEBUG\nexport LOG_LEVEL=INFO\nLOG_LEVEL=ERROR\n",
            'LOG_LEVEL="ERROR"\n',
        ],
    )
    def test_export_is_read_and_the_last_of_several_lines_counts(self, asked, lines):
        assert asked(lines, "LOG_LEVEL") == "ERROR"

    def test_a_value_keeps_its_signs(self, asked):
        lines = f"DEMO_PASSWORD=a=b 'c'\nDATABASE_URL='postgres://u:{SECRET}@h/n'\nEMAIL_USE=\n"

        assert asked(lines, "DEMO_PASSWORD", "DATABASES['default']['NAME']", "EMAIL_USE") == "a=b 'c' n console"

    def test_the_line_of_a_wrong_value_is_found_behind_export(self, tmp_path):
        (tmp_path / "ours").write_text(f"{BASE}export LOG_LEVEL=INFO # not more\n")

        assert "above line 3 of ours" in run(tmp_path / "ours", "manage.py", "check").stderr

    @pytest.mark.parametrize("what", ["nothing", "a folder"])
    def test_a_file_that_is_named_and_cannot_be_read_stops_the_start(self, tmp_path, what):
        if what == "a folder":
            (tmp_path / "ours").mkdir()
        done = run(tmp_path / "ours", "manage.py", "check", SECRET_KEY="x", DEBUG="True")

        assert done.returncode == 1
        assert "ours cannot be read" in done.stderr


class TestTheLinesThatNobodyReads:
    @pytest.mark.parametrize(
        ("line", "words"),
        [
            (f"ALLOWED_HOST={SECRET}", "(ALLOWED_HOST) sets nothing. If ALLOWED_HOSTS is meant, write ALLOWED_HOSTS="),
            (f"export SENDGRID_KEY={SECRET}", "(SENDGRID_KEY) sets nothing. If SENDGRID_API_KEY is meant"),
            (f"database_url={SECRET}", "(database_url) sets nothing. If DATABASE_URL is meant"),
            (f"set FROM_EMAIL={SECRET}", "(FROM_EMAIL) sets nothing. If FROM_EMAIL is meant, write FROM_EMAIL=value."),
            (f"$env:FROM_EMAIL = '{SECRET}'", "(FROM_EMAIL) sets nothing."),
            (f"DATABASE_URL: postgres://u:{SECRET}@h/n?x=1", "(DATABASE_URL) sets nothing."),
            (f"DATABASE_URL {SECRET}", "(DATABASE_URL) sets nothing."),
            (SECRET, "sets nothing, because it is not NAME=value."),
            (f"={SECRET}", "sets nothing, because it is not NAME=value."),
            ("WEB_CONCURRENCY=4", "(WEB_CONCURRENCY) sets nothing: only the environment can set WEB_CONCURRENCY."),
        ],
    )
    def test_each_gets_a_warning_with_its_number_and_its_name(self, warnings, line, words):
        (warning,) = warnings(f"# {SECRET}\n\n{line}\n")

        assert warning.startswith("Line 5 of ours ")
        assert words in warning

    def test_a_line_that_a_later_one_takes_back_gets_one(self, warnings):
        assert warnings("TO_EMAIL=a@example.org\nLOG_LEVEL=INFO\nexport TO_EMAIL=b@example.org\n") == [
            "Line 3 of ours sets TO_EMAIL, but line 5 sets it again: only that line counts."
        ]

    def test_names_of_other_programs_get_none(self, warnings):
        assert warnings("POSTGRES_PASSWORD=x\nCOMPOSE_PROJECT_NAME=y\nTZ=UTC\nexport PATH=$PATH:/opt\n") == []

    def test_a_name_that_the_environment_sets_too_gets_none(self, warnings):
        assert warnings("WEB_CONCURRENCY=4\n", WEB_CONCURRENCY="4") == []

    def test_the_example_gets_none(self, warnings):
        example = (ROOT / ".env.example").read_text(encoding="utf-8")

        assert warnings(example.replace("\nSECRET_KEY=", "\n# SECRET_KEY=").replace("\nDEBUG=", "\n# DEBUG=")) == []
