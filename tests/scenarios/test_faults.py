# SPDX-License-Identifier: Apache-2.0
"""Faults that the network itself must answer, on every runtime."""

import asyncio
import datetime
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from fabric_protos.common.common_pb2 import ENDORSER_TRANSACTION
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.gateway.gateway_pb2 import EndorseRequest

from pedchain_fabric.admin.authority import Authority, Credential
from pedchain_fabric.client import profile
from pedchain_fabric.errors import GatewayError
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import load_signer
from pedchain_gateway import limits
from pedchain_gateway.ledger.fabric import FabricLedger, open_ledger
from pedchain_gateway.ledger.port import Committed, LedgerError, Unavailable
from pedchain_gateway.ledger.steps import submit_step
from tests.parity.block_probes import send
from tests.parity.target import CHANNEL, Target, envelope, proposal
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.revocation import revoked, update

FAULTS = ("python", str(Path(__file__).parent / "faults_chaincode.py"), "serve")
A = "metering-DistrictA"
WRITERS = 50
TOO_MANY, AT_ONCE, PAGE = 100_001, 10_000, 20_000
WINDOW_S = 15 * 60
_log = logging.getLogger(__name__)


@pytest.fixture(scope="module", params=RUNTIMES)
def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """The reference consortium, its definitions served by this file's contract."""
    with make_network(request.param, tmp_path_factory.mktemp("faults"), FAULTS) as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module")
async def target(consortium: Network) -> AsyncIterator[Target]:
    async with Target(consortium.state / "profiles") as opened:
        yield opened


class Counting:
    """A ledger that counts how each writer's submissions ended."""

    def __init__(self, ledger: FabricLedger) -> None:
        self._ledger = ledger
        self.ends: Counter[str] = Counter()
        self.tries: Counter[str] = Counter()

    async def submit(
        self, definition: str, function: str, *arguments: str, **options: Any
    ) -> Committed:
        """As the ledger's own."""
        self.tries[arguments[-1]] += 1
        try:
            done = await self._ledger.submit(definition, function, *arguments, **options)
        except LedgerError as error:
            self.ends[getattr(error, "code", type(error).__name__)] += 1
            raise
        self.ends["VALID"] += 1
        return done


@pytest.mark.fault(18)
@pytest.mark.parity("contention")
async def test_of_fifty_writers_on_one_key_none_is_lost(
    consortium: Network, record_property: Any
) -> None:
    """All at once, each retried within the gateway's bound; who gives up is told, asks again."""
    key = f"contested-{time.time_ns()}"
    async with await open_ledger(consortium.profile("DistrictA"), "gateway") as ledger:
        counting: Any = Counting(ledger)
        gave_up = 0

        async def write(name: str) -> None:
            nonlocal gave_up
            deadline = time.monotonic() + 60
            while True:
                try:
                    await submit_step(counting, A, "Sign", key, name)
                    return
                except Unavailable:
                    gave_up += 1
                    assert time.monotonic() < deadline, "a writer finds no way through"

        names = [f"writer-{number:02}" for number in range(WRITERS)]
        await asyncio.gather(*map(write, names))
        signed = json.loads(await ledger.evaluate(A, "Signed", key))
    attempts = sum(counting.ends.values())
    rate = 1 - counting.ends["VALID"] / attempts
    record_property("conflict rate", f"{rate:.2f}")
    record_property("ends", dict(counting.ends))
    _log.info(f"{WRITERS} writers, {attempts} attempts {dict(counting.ends)}, {rate:.0%} in vain")
    assert sorted(signed) == names
    assert counting.ends["VALID"] >= WRITERS
    assert counting.ends["MVCC_READ_CONFLICT"] > 0
    assert max(counting.tries.values()) <= limits.STEP_TRIES_MAX * (gave_up + 1)


@pytest.mark.fault(20)
@pytest.mark.parity("query-limit")
async def test_more_keys_than_a_query_returns_are_an_error_or_pages(consortium: Network) -> None:
    """The peer ends such a query at 100,000 without a word; the shim does not take that for all."""
    async with await profile.connect(consortium.profile("DSO")) as gateway:
        contract = gateway.network(CHANNEL).contract(A)
        for first in range(0, TOO_MANY, AT_ONCE):
            count = min(AT_ONCE, TOO_MANY - first)
            await contract.submit("Fill", str(first), str(count))
        request = contract.new_proposal("Count")
        with pytest.raises(GatewayError) as refused:
            await request.evaluate(deadline=60)
        assert "cut-off: 100000" in str(refused.value)
        bookmark = ""
        counts: list[int] = []
        ends: list[list[str]] = []
        while bookmark or not counts:
            page = json.loads(await contract.evaluate("Page", str(PAGE), bookmark))
            counts.append(page["count"])
            ends.append(page["ends"])
            bookmark = page["bookmark"]
        assert max(counts) == PAGE
        assert sum(counts) == TOO_MANY
        assert all(one[1] < other[0] for one, other in pairwise(ends))


async def refusal(target: Target, who: SigningIdentity, *, seconds: int = 0) -> str:
    """How a proposal to a peer is refused, by its gateway and directly; both must refuse."""
    made, signed = proposal(who, A, "Signed", "k", seconds=seconds)
    with pytest.raises(grpc.aio.AioRpcError) as direct:
        await target.endorser().ProcessProposal(signed)
    request = EndorseRequest(
        transaction_id=made.transaction_id, channel_id=CHANNEL, proposed_transaction=signed
    )
    with pytest.raises(grpc.aio.AioRpcError):
        await target.gateway().Endorse(request)
    return direct.value.details() or ""


@pytest.mark.fault(23)
@pytest.mark.parity("client-refused")
@pytest.mark.parametrize("seconds", [-WINDOW_S - 60, WINDOW_S + 60])
async def test_a_proposal_sixteen_minutes_off_is_refused(target: Target, seconds: int) -> None:
    said = await refusal(target, target.identity("DSO"), seconds=seconds)
    assert "incorrect timestamp" in said


@pytest.mark.fault(23)
@pytest.mark.parity("client-refused")
async def test_an_expired_certificate_is_refused_by_peers_and_orderers(target: Target) -> None:
    who = target.issued("DSO", days=0)
    assert "client identity expired" in await refusal(target, who)
    assert await send(target, envelope(who, b"x", ENDORSER_TRANSACTION)) == (
        "BAD_REQUEST",
        "broadcast client identity expired",
    )


@pytest.mark.fault(23)
@pytest.mark.parity("client-refused")
async def test_a_member_of_one_msp_does_not_pass_for_one_of_another(target: Target) -> None:
    own = target.identity("DistrictA")
    for msp_id in ("DSOMSP", "NobodyMSP"):
        who = SigningIdentity(msp_id, own.certificate, own.signer)
        assert "access denied" in await refusal(target, who)
        status, _ = await send(target, envelope(who, b"x", ENDORSER_TRANSACTION))
        assert status == "FORBIDDEN"


@pytest.mark.fault(23)
@pytest.mark.parity("revocation")
async def test_a_certificate_its_organisation_took_back_is_refused(
    consortium: Network, target: Target
) -> None:
    """Its own administrator does it, with nobody else; others of the organisation go on."""
    crypto = consortium.state / "crypto" / "DistrictB"
    made = issued(crypto / "ca")
    lost = SigningIdentity("DistrictBMSP", made.certificate, load_signer(made.key))
    kept = target.identity("DistrictB")
    for who in (lost, kept):
        assert await accepted(target, who)
    crl = revoked(crypto / "ca", made.certificate)
    admin = target.identity("DistrictB", "admin")
    change = update(await configuration(target), "DistrictB", crl, admin)
    answers = [await send(target, change, each) for each in consortium.profiles]
    assert answers[0][0] == "SUCCESS", answers
    deadline = time.monotonic() + 30
    while await accepted(target, lost):
        assert time.monotonic() < deadline, "the certificate is still accepted"
        await asyncio.sleep(0.1)
    assert "access denied" in await refusal(target, lost)
    status, _ = await send(target, envelope(lost, b"x", ENDORSER_TRANSACTION))
    assert status == "FORBIDDEN"
    assert await accepted(target, kept)


def issued(authority: Path) -> Credential:
    """A new client of the organisation, by its own CA."""
    files = ((authority / name).read_bytes() for name in ("cert.pem", "key.pem"))
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    return Authority(Credential(*files), now).member("laptop", "DistrictB", "client", days=1)


async def accepted(target: Target, who: SigningIdentity) -> bool:
    """Whether the DSO's peer executes a proposal of this client."""
    _, signed = proposal(who, A, "Signed", "k")
    try:
        answer = await target.endorser().ProcessProposal(signed)
    except grpc.aio.AioRpcError:
        return False
    return bool(answer.response.status == 200)


async def configuration(target: Target) -> Config:
    """The channel's configuration as the DSO's peer has it."""
    _, signed = proposal(target.identity("DSO", "admin"), "cscc", "GetChannelConfig", CHANNEL)
    answer = await target.endorser().ProcessProposal(signed)
    return Config.FromString(answer.response.payload)
