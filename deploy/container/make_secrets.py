"""Makes the secrets of an installation by compose.yaml, once: a password of the database, and a file of settings.

Both files go into the folder of `BOOKING_ENV_FILE`. A file that is there stays as it is: another password would not fit
the database, and another key would end all sessions.
"""

import os
import secrets
import sys
from pathlib import Path

PASSWORD_FILE = "database-password"


def write_once(path: Path, text: str) -> bool:
    """Writes a file for its owner alone, unless there is one; it appears whole or not at all.

    Returns:
        Whether the file was written.
    """
    if path.exists():
        return False
    draft = path.with_name(f".{path.name}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    draft.rename(path)
    return True


def main() -> int:
    """Makes what is missing, and says so without a secret; returns the exit status."""
    settings = Path(os.environ["BOOKING_ENV_FILE"])
    password = settings.with_name(PASSWORD_FILE)
    made = [password] * write_once(password, secrets.token_hex(24))
    lines = (
        "# Made by deploy/container/make_secrets.py. Variables of the container win over these.",
        f"SECRET_KEY={secrets.token_urlsafe(50)}",
        f"DATABASE_URL=postgres://booking:{password.read_text(encoding='ascii')}@database:5432/booking",
        f"DEMO_PASSWORD={secrets.token_urlsafe(12)}",
    )
    made += [settings] * write_once(settings, "".join(f"{line}\n" for line in lines))
    sys.stdout.write("".join(f"Wrote {path}.\n" for path in made) or "The secrets are there already.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
