"""The folder in which the processes of one gunicorn count together.

gunicorn's main process runs this file, too: it makes the folder, adds up what ended processes counted, and removes the
folder in the end. Without that each reload would leave files behind.
"""

import contextlib
import fcntl
import os
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

# prometheus-client's own; its first import decides where the process counts.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "booking-metrics-"
# In memory, and writable below a read-only root, too.
IN_MEMORY = Path("/dev/shm")  # noqa: S108
ENDED = "ended"


def make() -> None:
    """Makes the folder of this process and names it in the environment, unless that was done."""
    own = f"{PREFIX}{os.getpid()}-"
    folder = Path(os.environ.get(VARIABLE, ""))
    # Another name is that of the process that started this one, which removes its folder when it ends.
    if folder.name.startswith(own) and folder.is_dir():
        return
    base = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for left in base.glob(f"{PREFIX}*"):
        if not is_running(left.name.removeprefix(PREFIX).partition("-")[0]):
            shutil.rmtree(left, ignore_errors=True)
    os.environ[VARIABLE] = tempfile.mkdtemp(prefix=own, dir=base)


def is_running(pid: str) -> bool:
    """True unless no process has this number."""
    try:
        os.kill(int(pid), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except OSError:
        return True  # somebody else's
    return True


def remove() -> None:
    """Removes the folder of this process, if there is one."""
    folder = Path(os.environ.get(VARIABLE, ""))
    if folder.name.startswith(f"{PREFIX}{os.getpid()}-"):
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def locked(folder: Path, *, for_writing: bool = False) -> Iterator[None]:
    """Keeps readers from a folder in which the numbers of an ended process stand twice, or not at all."""
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX if for_writing else fcntl.LOCK_SH)
        yield


def add_up(pid: int) -> None:
    """Adds what an ended process counted to what the others before it counted, and removes its files."""
    from prometheus_client.mmap_dict import MmapedDict
    from prometheus_client.multiprocess import mark_process_dead

    folder = Path(os.environ.get(VARIABLE, ""))
    if not folder.name.startswith(PREFIX) or not folder.is_dir():
        return
    with locked(folder, for_writing=True):
        mark_process_dead(pid, str(folder))
        for file in folder.glob(f"*_{pid}.db"):
            # A process that was killed may leave a line that was not written whole.
            with contextlib.suppress(RuntimeError, ValueError, struct.error):
                total = MmapedDict(str(file.with_name(file.name.replace(f"_{pid}.db", f"_{ENDED}.db"))))
                for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):
                    total.write_value(key, total.read_value(key)[0] + value, 0.0)
                total.close()
            file.unlink()
