# SPDX-License-Identifier: Apache-2.0
"""The command line's root, and the options that many commands share."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from pedchain_network.progress import Progress

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

DEFAULT_STATE = Path(".pedchain")


def progress() -> Progress:
    """Reports each step on a line of its own, at once."""
    return Progress(lambda line: print(line, flush=True))
