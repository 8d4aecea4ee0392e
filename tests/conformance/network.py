# SPDX-License-Identifier: Apache-2.0
"""A network of the usual organisations with the conformance contracts."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from tests.scenarios import harness

_FOLDER: Final = Path(__file__).parent


def network(runtime: str, directory: Path) -> AbstractContextManager[harness.Network]:
    """The network on free ports, not yet up; gone afterwards."""
    command = ("python", str(_FOLDER / "serve.py"))
    return harness.network(runtime, directory, command, _FOLDER / "consortium.yaml")
