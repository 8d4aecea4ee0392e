# SPDX-License-Identifier: Apache-2.0
"""Certificates of origin that went with what was sold and shared in the district, and of what
was left, locked for abroad.

Both read settlement, whose endorsers cannot read the district's collection: they are endorsed by
the two organisations that read both, named, because a gateway's own plan would ask for more.
"""

import asyncio
import secrets
import subprocess
from typing import Any

import pytest

from pedchain_domain import canonical
from pedchain_fabric.client import Contract, profile
from pedchain_fabric.errors import CommitError, EndorsementMismatch, GatewayError
from tests.scenarios.certified import BIN
from tests.scenarios.harness import Network
from tests.scenarios.onnetwork import LAGGING
from tests.scenarios.week import FIRST, HOURS, Week, name_of, start_of
from tests.unit.chaincode.district import DAY, START
from tests.unit.chaincode.exchange import GATEWAYS
from tests.unit.chaincode.wallets import HOUR, Wallet, foreign

A, OPERATOR = "metering-DistrictA", GATEWAYS["DistrictAMSP"]
READERS = ("DSOMSP", "DistrictAMSP")
SEEN_S = 60  # until every endorser has seen what was done before


async def leave(network: Network, week: Week, day: int, name: str) -> int:
    """Let a home's certificate of an hour go with what the district was given of it; lock all that
    nobody was given, and no Wh more; what was locked."""
    wallet = Wallet(f"gc-{name}", name)
    await _issued(week, wallet, day)
    at = start_of(day) + HOURS[0] * HOUR
    rows = await week.ask("sharing:GetHours", f"acc-{name}", "electricity", str(start_of(day)))
    row = next(one for one in rows if one["hour"] == at)
    rest: int = row["fed_in"] - row["position"]["sold"] - row["position"]["shared_out"]
    (whole,) = await _active(week, wallet, at)
    assert whole["wh"] == row["fed_in"] > rest > 1
    told = await week.ask("sharing:GetOrigin", f"acc-{name}", str(start_of(day)))
    given = {pool: wh for pool, wh, _ in told["given"][HOURS[0]]}
    async with await profile.connect(
        network.profile("DistrictA"), trusted_organizations=frozenset(READERS)
    ) as gateway:
        contract = gateway.network("ped").contract(A)
        with pytest.raises(GatewayError) as raised:
            await _sent(contract, wallet, "lock", certificate=whole["id"], registry="north")
        assert "not-followed" in _said(raised.value)
        await asyncio.to_thread(_follow, network)
        (whole,) = await _active(week, wallet, at)
        assert whole["followed"] == given
        assert whole["wh"] == row["fed_in"] - sum(given.values()) > rest + 1
        parts = [rest, 1, whole["wh"] - rest - 1]
        await _sent(contract, wallet, "slice", certificate=whole["id"], parts=parts)
        held = {one["wh"]: one["id"] for one in await _active(week, wallet, at)}
        lock = {"registry": "north"}
        await _no_plan(contract, wallet, certificate=held[rest], **lock)
        await _sent(contract, wallet, "lock", certificate=held[rest], **lock)
        with pytest.raises(GatewayError) as raised:
            await _sent(contract, wallet, "lock", certificate=held[1], **lock)
        assert "counted-twice" in _said(raised.value)
    return rest


def _follow(network: Network) -> None:
    """`ped-gateway issue` as the district: certificates go with what was sold and shared."""
    words = ("issue", "--district", "DistrictA", "--profile", str(network.profile("DistrictA")))
    done = subprocess.run(
        [str(BIN / "ped-gateway"), *words], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "certificates went with what was sold and shared" in done.stdout


async def _issued(week: Week, wallet: Wallet, day: int) -> None:
    subject = ("privacy:GetSubjectDay", str(wallet.of), name_of(day))
    place = canonical.decode(await week.peer.evaluate(A, *subject, creator=OPERATOR))
    assert isinstance(place, dict)
    asked = {
        "account": wallet.request(**{"from": START + (FIRST - 30) * DAY}),
        "cell": str(place["cell"]).encode(),
    }
    await week.peer.submit(A, "origin:OpenAccount", transient=week.fresh(**asked))
    await week.peer.submit(A, "origin:PutForeign", foreign())
    issue = (A, "origin:IssueDay", name_of(day))
    while await week.peer.submit(*issue, transient=week.fresh(), creator=OPERATOR) != b"done":
        pass


async def _active(week: Week, wallet: Wallet, at: int) -> list[dict[str, Any]]:
    """The account's active certificates of an hour."""
    listed = ("origin:ListCertificates", wallet.account, "")
    found: Any = canonical.decode(await week.peer.evaluate(A, *listed, creator=OPERATOR))
    rows = found["certificates"]
    return [one for one in rows if (one["state"], one["hour"]) == ("active", at)]


async def _sent(contract: Contract, wallet: Wallet, action: str, **body: Any) -> None:
    """A debit, sent again where an endorser has not seen all yet, or somebody was faster."""
    signed = wallet.signed(action, counter=wallet.counter + 1, **body)
    end = asyncio.get_running_loop().time() + SEEN_S
    while True:
        sent = {"debit": signed, "salt": secrets.token_bytes(16)}
        try:
            await contract.submit("origin:Debit", transient=sent, endorsing_organizations=READERS)
        except (CommitError, GatewayError) as error:
            late = asyncio.get_running_loop().time() > end
            if late or not (isinstance(error, (CommitError, EndorsementMismatch)) or _lags(error)):
                raise
        else:
            wallet.counter += 1
            return
        await asyncio.sleep(0.1)


async def _no_plan(contract: Contract, wallet: Wallet, **body: Any) -> None:
    """Left to the gateway a lock finds no endorsers: settlement's policy wants one more than may
    read the district's collection."""
    signed = wallet.signed("lock", counter=wallet.counter + 1, **body)
    sent = {"debit": signed, "salt": secrets.token_bytes(16)}
    with pytest.raises(GatewayError) as raised:
        await contract.submit("origin:Debit", transient=sent)
    assert "no combination of peers can be derived" in _said(raised.value)


def _lags(error: GatewayError) -> bool:
    return any(f"400, {reason}" in _said(error) for reason in LAGGING)


def _said(error: GatewayError) -> str:
    return " ".join([error.message, *(detail.message for detail in error.details)])
