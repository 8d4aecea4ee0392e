# SPDX-License-Identifier: Apache-2.0
"""The guide's code is run as it stands, its commands say what it says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "chaincode-in-python.md"
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the guide's files, and nothing else."""
    folder = tmp_path_factory.mktemp("guide")
    for name, code in re.findall(r"```python\n# file: (\S+)\n(.*?)```", GUIDE.read_text(), re.S):
        (folder / name).write_text(code)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    return folder


def test_the_guides_tests_pass(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    written = sum(path.read_text().count("def test_") for path in project.glob("test_*.py"))
    assert f"{written} passed" in done.stdout


def _commands() -> list[tuple[str, str]]:
    console = re.search(r"```console\n(.*?)```", GUIDE.read_text(), re.S)
    assert console is not None
    return re.findall(r"\$ (.*)\n([^$]*)", console[1])


@pytest.mark.parametrize(("command", "output"), _commands())
def test_the_guides_commands_say_what_it_says(project: Path, command: str, output: str) -> None:
    name, *arguments = shlex.split(command)
    program = sys.executable if name == "python" else str(BIN / name)
    done = subprocess.run(
        [program, *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, output), done.stderr
