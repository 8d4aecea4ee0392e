# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from tools import lockdrift

WORKSPACE = """
[project]
name = "all"
dependencies = []
[dependency-groups]
dev = ["tool>=2"]
[tool.uv.workspace]
members = ["one", "two"]
"""
MEMBER = """
[project]
name = "{name}"
dependencies = {dependencies}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two members; `two` imports `one` and a package from elsewhere."""
    monkeypatch.setattr(lockdrift, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text(WORKSPACE)
    (tmp_path / "requirements.lock").write_text("tool==2.1 \\\n    --hash=sha256:00\npytest==9.0\n")
    for name, source in (
        ("one", "import os\n"),
        ("two", "import one\nfrom pytest import raises\n"),
    ):
        package = tmp_path / name / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(source)
        depend(tmp_path, name, [])
    return tmp_path


def depend(root: Path, name: str, dependencies: list[str]) -> None:
    text = MEMBER.format(name=name, dependencies=dependencies)
    (root / name / "pyproject.toml").write_text(text)


def test_what_is_locked_named_and_satisfied_is_no_fault(root: Path) -> None:
    depend(root, "two", ["one", "pytest>=8"])
    assert [*lockdrift.unlocked(lockdrift.members())] == []
    assert [*lockdrift.undeclared(lockdrift.members())] == []


@pytest.mark.parametrize("wanted", ["absent", "pytest>=10", "tool<2"])
def test_a_requirement_the_lock_does_not_satisfy_is_named(root: Path, wanted: str) -> None:
    depend(root, "two", [wanted])
    (fault,) = lockdrift.unlocked(lockdrift.members())
    assert fault.startswith(f"two: {wanted}")


def test_a_tool_of_the_workspace_is_held_to_the_lock_too(root: Path) -> None:
    (root / "requirements.lock").write_text("tool==1.9\n")
    (fault,) = lockdrift.unlocked(lockdrift.members())
    assert fault.startswith("all: tool>=2")


def test_an_import_that_its_member_does_not_name_is_named(root: Path) -> None:
    faults = [*lockdrift.undeclared(lockdrift.members())]
    assert [fault.split(" imports ")[1] for fault in faults] == [
        "one, which is not named",
        "pytest, which is not named",
    ]
