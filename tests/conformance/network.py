# SPDX-License-Identifier: Apache-2.0
"""A network of the usual organisations with the conformance contracts."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.scenarios import harness

_FOLDER: Final = Path(__file__).parent


@contextmanager
def network(runtime: str, directory: Path) -> Iterator[harness.Network]:
    """The network on free ports, not yet up; gone afterwards."""
    command = ["python", str(_FOLDER / "serve.py")]
    text = (_FOLDER / "consortium.yaml").read_text()
    text = re.sub(r"  command: .*", f"  command: {json.dumps(command)}", text)
    with ExitStack() as stack:
        for base in re.findall(r"ports: (\d+)", text):
            ports = stack.enter_context(harness._free_ports())
            text = text.replace(f"ports: {base}", f"ports: {ports}", 1)
        topology = directory / "consortium.yaml"
        topology.write_text(text)
        made = harness.Network(runtime, directory / "state", topology)
        stack.callback(made.run, "clean")
        yield made
