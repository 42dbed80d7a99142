"""compose.yaml as `docker compose` reads it: variables filled in, and the files of variables."""

import re
from typing import Any

import yaml

from core.tests.support.environment import ROOT

# ${NAME:-default}, or $$ for one dollar.
VARIABLE = re.compile(r"\$\$|\$\{(?P<name>[A-Z_]+):-(?P<default>[^}]*)\}")


def filled_in(value: Any, variables: dict[str, str]) -> Any:  # noqa: ANN401 - whatever YAML has
    """The value with its variables replaced; an empty variable counts as absent."""
    if isinstance(value, dict):
        return {key: filled_in(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [filled_in(each, variables) for each in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        return "$" if match["name"] is None else variables.get(match["name"]) or match["default"]

    rest = VARIABLE.sub("", value)
    assert "$" not in rest, f"{value} has a variable of a form that this module does not know"
    return VARIABLE.sub(replace, value)


def compose(**variables: str) -> dict[str, Any]:
    """The whole file, with these variables of the shell."""
    return filled_in(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8")), variables)


def variables_of_file(text: str) -> dict[str, str]:
    """The variables of a file of variables, whose values stand as they are."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)
