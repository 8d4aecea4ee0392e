# SPDX-License-Identifier: Apache-2.0
"""Our own contracts, and all they reach, are clean under the determinism lint."""

import pytest

from pedchain_chaincode import cli
from pedchain_chaincode.lint import run
from pedchain_chaincode.lint.codes import Finding
from pedchain_chaincode.lint.reach import Reach

Linted = tuple[Reach, tuple[Finding, ...]]


@pytest.fixture(scope="module")
def ours() -> Linted:
    """Reading all that contracts reach takes seconds: once."""
    return run()


@pytest.mark.fault(15)
def test_no_contract_of_ours_has_a_finding(ours: Linted) -> None:
    found, findings = ours
    assert [str(finding) for finding in findings] == []
    assert found.missing == ()


def test_the_lint_reaches_the_maths_and_not_the_simulator(ours: Linted) -> None:
    found, _ = ours
    names = {module.name for module in found.linted}
    assert {"pedchain_domain.intervals", "pedchain_domain.certificate"} <= names
    assert not any(name.startswith("pedchain_domain.sim") for name in names)
    assert "pedchain_fabric.shim" in found.listed


def test_the_command_says_what_it_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lint"]) == 0
    assert capsys.readouterr().out.startswith("0 findings in ")
    assert cli.main(["lint", "pedchain_chaincode.nowhere"]) == 1
    assert "no such module" in capsys.readouterr().out
