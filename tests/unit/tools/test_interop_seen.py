# SPDX-License-Identifier: Apache-2.0
"""The rows that tests of other projects' software show are kept, in one process and in several."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
import json
import pytest
from tests.interop.seen import Seen

def pytest_configure(config):
    config.seen = Seen()
    config.pluginmanager.register(config.seen)

def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        (session.config.rootpath / "seen.json").write_text(json.dumps(session.config.seen.runtimes))

@pytest.fixture(params=["embedded"])
def network(request):
    return request.param

@pytest.fixture(params=["python", "node"])
def clients(request):
    return request.param
"""
READS = """
import pytest

@pytest.mark.interop("reads")
def test_reads(network, clients): ...

@pytest.mark.interop("both")
def test_reads_both(network, clients):
    assert clients == "python"
"""
WRITES = """
import pytest

@pytest.mark.interop("writes")
def test_writes(network): ...

@pytest.mark.interop("both")
def test_writes_both(network, clients):
    if clients == "python":
        pytest.skip("not here")
"""


@pytest.mark.parametrize("processes", [(), ("-p", "xdist", "-n", "2", "--dist", "loadfile")])
def test_the_worst_outcome_of_each_row_is_kept_whichever_process_saw_it(
    tmp_path: Path, processes: tuple[str, ...]
) -> None:
    for name, text in {"conftest": CONFTEST, "test_reads": READS, "test_writes": WRITES}.items():
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = interop(row): a row\n")
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *processes, "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        check=False,
        capture_output=True,
    )
    assert json.loads((tmp_path / "seen.json").read_text()) == {
        "embedded": {
            "reads": {"python/-": "passed", "node/-": "passed"},
            "writes": {"python/-": "passed"},
            "both": {"python/-": "skipped", "node/-": "failed"},
        }
    }
