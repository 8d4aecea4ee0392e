# SPDX-License-Identifier: Apache-2.0
"""The administrator's guide is typed page by page, on one network, as it stands."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pedchain_network.topology.reader import reference
from tests import ports

GUIDE = Path(__file__).parents[2] / "docs" / "admin"
ORDER = re.findall(r"\]\(([a-z-]+\.md)\)", (GUIDE / "README.md").read_text())
NEWCOMERS_PORTS = "7450"

pytestmark = pytest.mark.serial


class Typing:
    """A directory where somebody types the guide. The embedded network on free ports stands for
    whatever `auto` would find here, which is all that is changed."""

    def __init__(self, folder: Path, newcomers_ports: int) -> None:
        self.folder = folder
        self._newcomers_ports = str(newcomers_ports)

    @property
    def is_up(self) -> bool:
        """Did it come up once."""
        return (self.folder / ".pedchain" / "consortium.yaml").exists()

    def type(self, line: str) -> subprocess.CompletedProcess[str]:
        program, *words = shlex.split(line)
        assert program == "ped-network"
        words = [self._newcomers_ports if word == NEWCOMERS_PORTS else word for word in words]
        if words == ["up"]:
            words += ["--runtime", "embedded", "--topology", "consortium.yaml"]
            words = words[:-2] if self.is_up else words
        command = [sys.executable, "-m", "pedchain_network", *words]
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=150,
        )


@pytest.fixture(scope="module")
def typing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Typing]:
    folder = tmp_path_factory.mktemp("guide")
    with ExitStack() as stack:
        text = stack.enter_context(ports.moved(reference().read_text()))
        (folder / "consortium.yaml").write_text(text)
        made = Typing(folder, stack.enter_context(ports.free()))
        yield made
        made.type("ped-network clean --yes")


def lines(page: str) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", (GUIDE / page).read_text(), re.S)
    return [line for block in blocks for line in re.findall(r"^\$ (.*)$", block, re.M)]


@pytest.mark.timeout(400)
@pytest.mark.parametrize("page", [page for page in dict.fromkeys(ORDER) if lines(page)])
def test_a_page_of_the_guide_can_be_typed_as_it_stands(typing: Typing, page: str) -> None:
    first = [] if page == "first-network.md" or typing.is_up else ["ped-network up"]
    for line in [*first, *lines(page)]:
        done = typing.type(line)
        assert done.returncode == 0, f"$ {line}\n{done.stdout}\n{done.stderr}"
