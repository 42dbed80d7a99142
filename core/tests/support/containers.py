"""A Dockerfile's commands without Docker: each runs in a sandbox of bubblewrap, with a file system of its own.

The interpreter of the suite and the machine's /usr stand for the base image. Everything else is as the Dockerfile says:
the files, the order of the commands, the variables, the user, and process 1. The root file system of a running
container is read-only. The network is that of the machine.
"""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from core.tests.support.environment import ROOT

INSTRUCTION = re.compile(r"^(?P<name>[A-Z]+) (?P<rest>(?:.*\\\n)*.*)", re.MULTILINE)
# What pip needs to reach the package registry from here.
REGISTRY = re.compile(r"PIP_INDEX_URL|PIP_CERT|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|[a-z]+_proxy|[A-Z]+_PROXY")
OF_THE_MACHINE = ("/usr", "/etc")
LINKED = ("bin", "lib", "lib64", "sbin")


@dataclass(slots=True)
class Image:
    """What a stage of a Dockerfile makes."""

    root: Path
    variables: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0:0"
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)

    def inside(self, path: str) -> Path:
        """Where a path of the image is on this machine."""
        return self.root / str(PurePosixPath(self.folder) / path).lstrip("/")


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile in their order, each on one line."""
    without_comments = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    return [(found["name"], found["rest"].replace("\\\n", " ")) for found in INSTRUCTION.finditer(without_comments)]


def is_sent(path: str, patterns: Sequence[str]) -> bool:
    """Whether a .dockerignore lets a file into the image: the last pattern that fits it, or a folder of it, decides."""
    sent = True
    for pattern in patterns:
        glob = re.escape(pattern.removeprefix("!")).replace(r"\*\*/", "(?:.*/)?").replace(r"\*", "[^/]*")
        if re.fullmatch(rf"{glob}(?:/.*)?", path):
            sent = pattern.startswith("!")
    return sent


def context() -> list[str]:
    """The files that a build sends, of all that are not ignored by git or are in its repository."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    return [path for path in listed.stdout.splitlines() if is_sent(path, patterns) and (ROOT / path).is_file()]


def build(folder: Path) -> Image:
    """Follows the Dockerfile, and returns its last stage."""
    stages: dict[str, Image] = {}
    image = Image(folder)
    for name, rest in instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")):
        words = shlex.split(rest)
        match name:
            case "FROM":
                image = Image(folder / f"stage-{len(stages)}", {"PATH": f"{sys.base_prefix}/bin:/usr/bin:/bin"})
                image.root.mkdir()
                prepare(image.root)
                stages[words[-1]] = image
            case "ENV":
                for assignment in words:
                    variable, _, value = assignment.partition("=")
                    image.variables[variable] = value.replace("$PATH", image.variables["PATH"])
            case "WORKDIR":
                image.folder = rest
                image.inside(".").mkdir(parents=True, exist_ok=True)
            case "COPY":
                copy(image, words, stages)
            case "RUN":
                run(image, ["/bin/sh", "-c", rest], building=True)
            case "USER":
                image.user = rest
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition("CMD ")[2])
            case "CMD":
                image.command = json.loads(rest)
            case "EXPOSE":
                pass
            case _:
                raise AssertionError(f"{name} is an instruction that this module does not know")
    return image


def copy(image: Image, words: Sequence[str], stages: dict[str, Image]) -> None:
    """Copies from the repository, or from an earlier stage."""
    *options, source, target = words
    if options:
        (option,) = options
        origin = stages[option.removeprefix("--from=")].inside(source)
        shutil.copytree(origin, image.inside(target), symlinks=True, dirs_exist_ok=True)
        return
    sent = [path for path in context() if source == "." or path == source]
    assert sent, source
    for path in sent:
        place = image.inside(target) / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, place)


def prepare(root: Path) -> None:
    """Makes the places of what a sandbox mounts, so that the root can be read-only later."""
    for path in ("/proc", "/dev", "/tmp", *OF_THE_MACHINE, sys.base_prefix):
        (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for name in LINKED:
        if Path("/", name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")


def sandbox(
    image: Image,
    command: Sequence[str],
    *,
    building: bool = False,
    variables: dict[str, str],
    volumes: dict[str, tuple[Path, str]] | None = None,
    info: int | None = None,
) -> list[str]:
    """The command line of bubblewrap.

    Args:
        image: Its root is that of the sandbox, writable only while the image is built.
        command: What runs in the sandbox.
        building: Whether the image is still built, by root.
        variables: Further variables.
        volumes: Folders of this machine by their place in the sandbox, each with `ro` or `rw`.
        info: The descriptor that is told the number of process 1.
    """
    words = ["bwrap", "--bind" if building else "--ro-bind", str(image.root), "/"]
    for path in (*OF_THE_MACHINE, sys.base_prefix):
        words += ["--ro-bind", path, path]
    words += ["--proc", "/proc", "--dev", "/dev"]
    for path in ("/dev/shm", "/tmp"):
        words += ["--perms", "1777", "--tmpfs", path]
    for place, (folder, mode) in (volumes or {}).items():
        words += ["--bind" if mode == "rw" else "--ro-bind", str(folder), place]
    words += ["--chdir", image.folder, "--unshare-pid", "--as-pid-1", "--die-with-parent", "--clearenv"]
    for name, value in {**image.variables, **variables}.items():
        words += ["--setenv", name, value]
    if info is not None:
        words += ["--info-fd", str(info)]
    if building:
        return [*words, "--", *command]
    user, _, group = image.user.partition(":")
    if os.geteuid() != 0:  # root of this machine becomes the user for good, another user by name only
        return [*words, "--unshare-user", "--uid", user, "--gid", group, "--", *command]
    become = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs", "--pdeathsig=KILL"]
    return [*words, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--", *become, "--", *command]


def run(
    image: Image,
    command: Sequence[str],
    *,
    building: bool = False,
    volumes: dict[str, tuple[Path, str]] | None = None,
    **variables: str,
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, as `RUN` or as a container; a failing `RUN` fails the test."""
    if building:
        variables |= {name: value for name, value in os.environ.items() if REGISTRY.fullmatch(name)}
    words = sandbox(image, command, building=building, variables=variables, volumes=volumes)
    done = subprocess.run(words, capture_output=True, text=True, timeout=400, check=False)
    assert not building or done.returncode == 0, done.stdout + done.stderr
    return done


class Container:
    """A running container.

    Args:
        pid: The number of its process 1 on this machine.
        process: bubblewrap, which ends with the status of process 1.
        log: What it writes.
    """

    def __init__(self, pid: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.pid, self.process, self.log = pid, process, log

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, sentence: str, seconds: float = 60) -> None:
        """Waits until the log has the sentence."""
        deadline = time.monotonic() + seconds
        while sentence not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def terminate(self) -> None:
        """Sends what `docker stop` sends: a TERM to process 1."""
        os.kill(self.pid, signal.SIGTERM)


@contextlib.contextmanager
def running(
    image: Image,
    log: Path,
    *,
    command: Sequence[str] = (),
    volumes: dict[str, tuple[Path, str]] | None = None,
    **variables: str,
) -> Iterator[Container]:
    """Starts a container, and kills it at the end unless it has ended."""
    told, info = os.pipe()
    words = sandbox(image, command or image.command, variables=variables, volumes=volumes, info=info)
    with log.open("wb") as output, subprocess.Popen(words, stdout=output, stderr=output, pass_fds=(info,)) as process:
        os.close(info)
        with open(told, encoding="ascii") as answer:
            said = answer.read()
        pid = json.loads(said)["child-pid"]  # nothing was said if bubblewrap could not begin
        try:
            yield Container(pid, process, log)
        finally:
            if process.poll() is None:  # the others in its sandbox end with process 1
                os.kill(pid, signal.SIGKILL)
