"""Where the counters of the limits live without a Redis: in small files that all processes of a machine share."""

import contextlib
import hashlib
import itertools
import json
import logging
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

logger = logging.getLogger(__name__)

# How many writes of a process it takes until it looks for files that nobody needs any more.
WRITES_BETWEEN_CLEANINGS = 1000

_writes = itertools.count(1)


class FilesOfThisMachine(BaseCache):
    """A cache whose entries are files of JSON, so that a limit counts once for all of gunicorn's processes.

    A counter in the memory of each process would let everybody through once per process. The folder is made for its
    owner alone; what somebody else put there is at most a wrong count, since JSON holds no code. Where it cannot be
    written, nothing is counted, and the log says so.
    """

    def __init__(self, location: str | Path, params: dict[str, Any]) -> None:
        super().__init__(params)
        self.folder = Path(location)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:  # noqa: ANN401
        """The value, or the default where there is none or its time is over."""
        entry = self._read(self._path(key, version))
        return default if entry is None else entry[1]

    def set(
        self,
        key: str,
        value: Any,  # noqa: ANN401
        timeout: float | None = DEFAULT_TIMEOUT,  # type: ignore[assignment]
        version: int | None = None,
    ) -> None:
        """Keep a value for some seconds."""
        content = json.dumps([self.get_backend_timeout(timeout), value])
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, passing = tempfile.mkstemp(suffix=".new", dir=self.folder)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(content)
            os.replace(passing, self._path(key, version))
            if next(_writes) % WRITES_BETWEEN_CLEANINGS == 0:
                self.clean()
        except OSError as error:
            logger.warning("Limits are not counted: %s", error)

    def add(
        self,
        key: str,
        value: Any,  # noqa: ANN401
        timeout: float | None = DEFAULT_TIMEOUT,  # type: ignore[assignment]
        version: int | None = None,
    ) -> bool:
        """Keep a value where there is none yet."""
        if self._read(self._path(key, version)) is not None:
            return False
        self.set(key, value, timeout, version)
        return True

    def touch(self, key: str, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None) -> bool:  # type: ignore[assignment]
        """Keep what is there for some seconds more."""
        entry = self._read(self._path(key, version))
        if entry is None:
            return False
        self.set(key, entry[1], timeout, version)
        return True

    def delete(self, key: str, version: int | None = None) -> bool:
        """Forget a value; whether there was one."""
        try:
            self._path(key, version).unlink()
        except OSError:
            return False
        return True

    def clear(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def clean(self) -> None:
        """Remove the files of what is over, and what a process left behind that was killed while it wrote."""
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    old = entry.stat().st_mtime < time.time() - 60
                    if old and (entry.name.endswith(".new") or self._read(Path(entry.path)) is None):
                        os.unlink(entry.path)

    def _path(self, key: str, version: int | None) -> Path:
        return self.folder / hashlib.sha256(self.make_key(key, version=version).encode()).hexdigest()

    def _read(self, path: Path) -> tuple[float | None, Any] | None:
        """When it is over and the value; None where there is none."""
        try:
            ends, value = json.loads(path.read_bytes())
        except (OSError, ValueError, TypeError):
            return None
        return (ends, value) if ends is None or ends > time.time() else None
