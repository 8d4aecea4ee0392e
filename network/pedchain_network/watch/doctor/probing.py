# SPDX-License-Identifier: Apache-2.0
"""The proof that the network takes transactions, whatever every node says of itself.

One per definition, through the gateway of an organisation that its policies name: endorsed as the
policy demands, ordered, committed. It reads and writes nothing.
"""

import asyncio
import time
from dataclasses import dataclass

from pedchain_fabric.errors import EndorsementMismatch, FabricError
from pedchain_network.limits import PROBE_TIMEOUT_S
from pedchain_network.topology.model import Deployment, Node
from pedchain_network.watch import contracts
from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn
from pedchain_network.watch.doctor.subject import Subject

CHECK = "probe"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one probe: `error` is empty if it was committed, after `seconds`."""

    name: str
    through: str
    seconds: float
    error: str = ""
    differs: bool = False


def judge(outcomes: list[Outcome]) -> list[Finding]:
    """All were committed."""
    findings = [
        fail(
            CHECK,
            each.name,
            f"through {each.through}: {each.error}",
            "give all organisations the same build: see check `code`"
            if each.differs
            else "see the findings above; ped-network logs",
        )
        for each in outcomes
        if each.error
    ]
    if not outcomes:
        return [warn(CHECK, "", "no peer to try it through", "ped-network up")]
    slowest = max(each.seconds for each in outcomes)
    what = f"{len(outcomes)} transactions endorsed and committed, the slowest in {slowest:.2f} s"
    return findings or [ok(CHECK, what)]


async def probe(subject: Subject) -> list[Finding]:
    """Every definition, all at once."""
    tried = [
        (each, peer)
        for each in subject.topology.deployments
        if (peer := _through(subject, each)) is not None
    ]
    return judge(list(await asyncio.gather(*(_try(subject, *each) for each in tried))))


def _through(subject: Subject, deployment: Deployment) -> Node | None:
    named = [
        peer for peer in subject.own_peers if contracts.concerns(subject.reach, deployment, peer)
    ]
    return named[0] if named else None


async def _try(subject: Subject, deployment: Deployment, peer: Node) -> Outcome:
    name = deployment.definition.name
    network = subject.reach.gateway(peer).network(subject.topology.channel)
    began = time.monotonic()
    error, differs = "", False
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            await network.contract(name).submit(subject.topology.chaincode.probe)
    except FabricError as refused:
        error, differs = str(refused), isinstance(refused, EndorsementMismatch)
    except TimeoutError:
        error = f"not committed within {PROBE_TIMEOUT_S:.0f} s"
    return Outcome(name, peer.name, time.monotonic() - began, error, differs)
