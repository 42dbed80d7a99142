"""The committed description of the API, for tests to look at."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from core.tests.support.environment import ROOT
from core.tests.support.routes import ROUTES

COMMITTED = ROOT / "openapi.yaml"
PAGES = {"docs", "redoc"}
OUTSIDE = ("/calendars/{secret}.ics", "/health/", "/health/ready/")


def path_of(address: str) -> str:
    """An address of the routes as the description writes it."""
    named = re.sub(r"\(\?P<(\w+)>\[0-9\]\+\)", r"{\1}", address)
    return "/" + named.replace("{pk}", "{id}").replace("\\", "")


BELOW_API = {path_of(address) for name, (address, _) in ROUTES.items() if name not in PAGES}


def document() -> dict[str, Any]:
    """The description as it is committed."""
    return yaml.load(COMMITTED.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def with_ids(path: str, **ids: int) -> str:
    """An address with these ids, or 1 in place of each other one."""
    return re.sub(r"\{(\w+)\}", lambda match: str(ids.get(match[1], 1)), path)


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """What a reference leads to."""
    while "$ref" in part:
        found: Any = schema
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part
