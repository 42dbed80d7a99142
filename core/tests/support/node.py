"""Node.js: a folder with the types made from openapi.yaml and with TypeScript, and commands in it."""

import shutil
import subprocess
from pathlib import Path

from core.tests.support.environment import ROOT

CLIENTS = ROOT / "docs" / "clients"


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    """The output of a command that must succeed."""
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def make_types(place: Path) -> Path:
    """A copy of the client in TypeScript with its packages, and `schema.d.ts` made from openapi.yaml; its folder."""
    left_out = shutil.ignore_patterns("node_modules", "build", "schema.d.ts")
    folder = shutil.copytree(CLIENTS / "typescript", place / "docs" / "clients" / "typescript", ignore=left_out)
    shutil.copy(ROOT / "openapi.yaml", place)
    run(["npm", "ci"], folder)
    run(["npm", "run", "generate"], folder)
    return folder
