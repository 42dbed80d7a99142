"""`manage.py check` before a deploy."""

import os
import subprocess
import sys

import pytest

from core.tests.support.environment import ROOT


def check(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "manage.py", "check", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_with_debug_off_a_deploy_has_no_warning():
    done = check(
        "--deploy",
        "--fail-level",
        "WARNING",
        DEBUG="False",
        FRONTEND_URL="https://app.example.org",
        PUBLIC_URL="https://booking.example.org",
        EMAIL_USE="smtp",
        EMAIL_URL="smtp+tls://mail.example.org",
        FROM_EMAIL="booking@example.org",
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "System check identified no issues (0 silenced).\n"
    assert done.stderr == ""


@pytest.mark.parametrize(("debug", "warned"), [("False", True), ("True", False)])
def test_a_missing_address_of_the_app_is_a_warning_with_debug_off(debug, warned):
    done = check(DEBUG=debug, FRONTEND_URL="")

    assert done.returncode == 0, done.stderr
    assert ("FRONTEND_URL is not set" in done.stderr) is warned
