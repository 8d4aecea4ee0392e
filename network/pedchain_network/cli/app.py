# SPDX-License-Identifier: Apache-2.0
"""The command line's root, and the options that many commands share."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from pedchain_network.errors import UnaskedError
from pedchain_network.progress import Progress, document, plain

app = App(
    name="ped-network",
    help="The consortium's Fabric network.",
    version_flags=[],
    help_formatter="plain",
    error_formatter=lambda error: f"ped-network: {error}",
)

StateOption = Annotated[Path, Parameter(name="--state", help="Where the network keeps its files.")]
RuntimeOption = Annotated[
    str, Parameter(name="--runtime", help="auto, docker, native or embedded.")
]
TopologyOption = Annotated[
    Path | None, Parameter(name="--topology", help="The consortium (default: the reference).")
]
JsonOption = Annotated[bool, Parameter(name="--json", negative=(), help="For machines.")]
YesOption = Annotated[bool, Parameter(name="--yes", negative=(), help="Do not ask.")]

DEFAULT_STATE = Path(".pedchain")


def progress(*, as_json: bool = False) -> Progress:
    """Reports each step on a line of its own, at once."""
    return Progress(lambda line: print(line, flush=True), document if as_json else plain)


def confirmed(question: str, *, yes: bool) -> bool:
    """Asks, unless `yes`; only `y` and `yes` mean yes. Raises `UnaskedError` if nobody is there to
    be asked."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UnaskedError(question)
    return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
