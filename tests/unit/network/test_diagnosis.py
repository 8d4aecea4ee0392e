# SPDX-License-Identifier: Apache-2.0
"""Goal: whoever reads an error of `up` knows what to do. Method: words that nodes really say."""

import pytest

from pedchain_network.bringup.diagnosis import explained
from pedchain_network.errors import PartError


@pytest.mark.parametrize(
    ("what", "log", "name", "remedy"),
    [
        ("ended", "panic: write /x/wal: no space left on device", "disk is full", "free some"),
        ("join: 500: ledger.db: disk I/O error", "", "disk is full", "free some space"),
        ("ended", "bind: address already in use", "took the port", "choose other ports"),
        ("ended", "x509: certificate has expired or is not yet valid", "not valid", "cert renew"),
        ("ended", "accept tcp: too many open files", "open files", "ulimit -n"),
        ("ended", "fatal error: runtime: out of memory", "memory ran out", "more memory"),
        ("ended", "open core.yaml: permission denied", "somebody else", "owner of the state"),
    ],
)
def test_a_cause_is_told_by_its_name_with_its_remedy(
    what: str, log: str, name: str, remedy: str
) -> None:
    found = explained(PartError("peer0.dso.ped", what, log))
    assert name in found.what
    assert remedy in found.fix
    assert log in str(found)


def test_without_a_known_cause_the_log_is_pointed_at() -> None:
    found = explained(PartError("peer0.dso.ped", "ended", "panic: nil map"))
    assert found.what == "ended"
    assert found.fix.startswith("ped-network logs peer0.dso.ped")


def test_a_remedy_that_is_there_stays() -> None:
    known = PartError("chaincode", "ended", "no space left on device", "buy a disk")
    assert explained(known) is known
