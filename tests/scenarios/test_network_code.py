# SPDX-License-Identifier: Apache-2.0
"""Organisations that run different contracts are told so, at once and by name."""

from pathlib import Path

import pytest

from tests.scenarios.harness import NOTES, network


@pytest.mark.serial
@pytest.mark.native
def test_an_organisation_with_other_code_is_found_before_it_can_disagree(tmp_path: Path) -> None:
    """Only on real Fabric has each organisation a chaincode process of its own."""
    served = tmp_path / "served.py"
    source = Path(NOTES[1]).read_text()
    served.write_text(
        source.replace(
            'name = "notes"',
            'name = "notes" if "districtb" not in str(Path.cwd()) else "other"',
        ).replace("import sys\n", "import sys\nfrom pathlib import Path\n")
    )
    with network("native", tmp_path, ("python", str(served), "serve")) as made:
        done = made.run("up", check=False)
        assert done.returncode == 1
        assert "organisations run different code behind" in done.stderr
        assert "fix: some servers are older" in done.stderr
