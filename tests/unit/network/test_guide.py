# SPDX-License-Identifier: Apache-2.0
"""Goal: the administrator's guide says what there is. Method: its commands go through the command
line's own parser, its tables are held against the code they tell of."""

import re
import shlex
from pathlib import Path

import pytest

from pedchain_network.bringup.diagnosis import CAUSES
from pedchain_network.cli import main  # noqa: F401 - puts every command on the app
from pedchain_network.cli.app import app
from pedchain_network.errors import TopologyError
from pedchain_network.topology import reader
from pedchain_network.watch.doctor.examine import CHECKS

GUIDE = Path(__file__).parents[3] / "docs" / "admin"
PAGES = sorted(GUIDE.glob("*.md"))
REFERENCE = reader.reference().read_text()


def commands() -> list[tuple[str, str]]:
    """(page, command) of every line a reader is told to type, and of every one in the text."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for block in re.findall(r"```console[^\n]*\n(.*?)```", text, re.S):
            found += [(page.name, line) for line in re.findall(r"^\$ (.*)$", block, re.M)]
        prose = re.sub(r"```.*?```", "", text, flags=re.S)
        found += [(page.name, line) for line in re.findall(r"`(ped-network [^`]*)`", prose)]
    return found


@pytest.mark.parametrize(("page", "command"), commands())
def test_every_command_of_the_guide_is_one(page: str, command: str) -> None:
    program, *words = shlex.split(command)
    assert program == "ped-network", page
    if words[-1] in {"doctor", "org", "peer", "cert"} and command.count(" ") == 1:
        return  # named as a whole
    function, _, unused, *_ = app.parse_known_args(words)
    assert not unused, f"{page}: {command}"
    assert callable(function)


def test_every_command_there_is_stands_in_the_guide() -> None:
    text = "".join(page.read_text() for page in PAGES)
    names = [name for name in app if not name.startswith("-")]
    assert names
    missing = [name for name in names if f"ped-network {name}" not in text]
    assert missing == []


@pytest.mark.parametrize(
    ("section", "anchor"),
    [
        ("top", "schema: consortium/1"),
        ("organizations", "{name: DSO,"),
        ("governance", "governance:\n"),
        ("ordering", "ordering:                   # SmartBFT: 4 consenters tolerate 1 that fails"),
        ("lifetimes", "lifetimes:                  # of certificates, in days"),
        ("chaincode", "chaincode:\n"),
        ("definitions", "  - name: registry\n"),
        ("collections", "{name: readings,"),
    ],
)
def test_every_key_of_the_topology_is_explained(section: str, anchor: str) -> None:
    """The reader tells the keys it knows when it meets one that it does not."""
    assert anchor in REFERENCE
    if anchor.startswith("{"):
        wrong = REFERENCE.replace(anchor, f"{anchor} zzz: 1,", 1)
    elif section == "top":
        wrong = f"zzz: 1\n{REFERENCE}"
    else:
        indent = "    " if section == "definitions" else "  "
        line = next(line for line in REFERENCE.splitlines() if line.startswith(anchor.rstrip("\n")))
        wrong = REFERENCE.replace(f"{line}\n", f"{line}\n{indent}zzz: 1\n", 1)
    with pytest.raises(TopologyError, match="unknown key 'zzz'") as raised:
        reader.parse(wrong, "guide")
    known = raised.value.fix.removeprefix("known here: ").split(", ")
    assert len(known) > 1
    page = (GUIDE / "topology.md").read_text()
    assert [key for key in known if f"`{key}`" not in page] == []


def test_every_check_of_doctor_and_every_cause_of_up_is_in_the_table() -> None:
    page = (GUIDE / "troubleshooting.md").read_text()
    assert [name for name, _ in CHECKS if f"\n| {name} |" not in page] == []
    assert [cause.name for cause in CAUSES if f"\n| {cause.name} |" not in page] == []


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
