# SPDX-License-Identifier: Apache-2.0
"""The auditor closes days by sites as they stood on them, before and after a revision."""

from types import SimpleNamespace
from typing import Any

from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_audit.metering import Metering
from pedchain_audit.replay import Judged
from pedchain_domain import canonical
from pedchain_fabric.shim.testing import creator
from tests.unit.audit.redone import History
from tests.unit.chaincode.district import DSO, Home, Ledger, day_name, site
from tests.unit.chaincode.test_runs import closed, hourly

OPERATOR = creator("DistrictAMSP")


async def revised() -> History:
    """Two days; between their certificates a site is heated and its connection is another."""
    ledger = Ledger()
    history = History.of(ledger.peer)
    homes = [Home(f"home-{n}", "P0") for n in range(3)]
    await ledger.adopt()
    await ledger.register(*homes)
    for day in (0, 1):
        for home in homes:
            await ledger.file(*hourly(home, day, 1 if day else 0))
    await ledger.fold(await ledger.seal())
    await closed(ledger, 0)
    changed = site("home-1", "P0", heating="metered", battery_wh=700)
    revision = {"schema": "revision/1", "document": changed, "since": day_name(1)}
    await ledger.submit("Revise", canonical.encode([revision]))
    assert (await closed(ledger, 1))["scope"]["heating.metered"] == 1
    await closed(ledger, 0, "F")
    return history


def audited(history: History) -> int:
    """How many certificates the auditor redid."""
    metering = Metering("ped")
    for number, (outcome, act, world) in enumerate(history.play()):
        parts: Any = SimpleNamespace(
            transaction_id=act.transaction,
            timestamp=outcome.timestamp_ns,
            creator=DSO if act.msp_id == "DSOMSP" else OPERATOR,
        )
        judged = Judged(0, TxValidationCode.VALID, parts, outcome.namespaces)
        metering.transaction(number, judged, world, outcome.private_results)
    return metering.certificates


async def test_each_run_of_a_day_is_redone_by_what_stood_then() -> None:
    assert audited(await revised()) == 3
