# SPDX-License-Identifier: Apache-2.0
"""Our client under load: reads one job per line, answers one JSON object per line.

A job is {"call": "evaluate"|"submit", "chaincode", "function", "args", "count", "lanes"}, the same
that node/client.js takes. A third call, `endorse`, keeps the client out of the figure as far as it
goes: proposals are made and signed beforehand, and their bytes go straight to the peer's endorser.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import grpc.aio
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse

from pedchain_fabric.client import Contract, Network, profile
from pedchain_fabric.client.profile import Profile, open_channel
from pedchain_fabric.errors import CommitError, SubmitError
from pedchain_fabric.wire.proposal import build_proposal

PATIENCE_S: Final = 60.0  # a slow answer is a figure too
OK: Final = 200

Lane = Callable[[int, int], Awaitable[object]]
Endorser = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]


async def submit(network: Network, contract: Contract, *call: str) -> None:
    """One write, committed.

    Real Fabric refuses a submit whose orderers ordered it before all were asked ("request already
    processed"): the outcome is unknown then, and as one should, we ask before anything else.
    """
    try:
        await contract.submit(*call)
    except SubmitError as error:
        status = await network.commit(error.transaction_id).status()
        if not status.successful:
            raise CommitError(status.transaction_id, status.code) from error


def through_gateway(network: Network, job: dict[str, Any]) -> Lane:
    """The job's calls as a client makes them."""
    contract = network.contract(job["chaincode"])
    evaluate = partial(contract.evaluate, deadline=PATIENCE_S)
    call = evaluate if job["call"] == "evaluate" else partial(submit, network, contract)

    async def one(lane: int, each: int) -> None:
        await call(job["function"], *(a.replace("#", f"{lane}-{each}") for a in job["args"]))

    return one


def at_endorser(opened: Profile, channel: grpc.aio.Channel, job: dict[str, Any]) -> Lane:
    """The job's calls as bytes that are there already."""
    who = opened.identity()
    args = [part.encode() for part in (job["function"], *job["args"])]
    ready: list[bytes] = []
    for _ in range(job["count"]):
        made = build_proposal(who.creator, opened.channel, job["chaincode"], args).proposal_bytes
        signed = SignedProposal(proposal_bytes=made, signature=who.sign(made))
        ready.append(signed.SerializeToString())
    send: Endorser = channel.unary_unary("/protos.Endorser/ProcessProposal")

    async def one(_: int, each: int) -> None:
        answer = ProposalResponse.FromString(await send(ready[each], timeout=PATIENCE_S))
        if answer.response.status != OK:
            raise RuntimeError(answer.response.message)

    return one


async def run(job: dict[str, Any], call: Lane) -> dict[str, float]:
    """`lanes` calls at a time until `count` are done."""
    left = iter(range(job["count"]))

    async def lane(number: int) -> None:
        for each in left:
            await call(number, each)

    used, start = cpu_us(), time.perf_counter()
    await asyncio.gather(*(lane(number) for number in range(job["lanes"])))
    seconds = time.perf_counter() - start
    return {"count": job["count"], "seconds": seconds, "cpu_us": cpu_us() - used}


def cpu_us() -> float:
    """Microseconds of CPU this process has used, gRPC's threads included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) * 1e6


async def main() -> None:
    opened = profile.load(sys.argv[1])
    async with (
        await profile.connect(opened, "gateway") as gateway,
        open_channel(opened.peer) as peer,
    ):
        network = gateway.network(opened.channel)
        while line := await asyncio.to_thread(sys.stdin.readline):
            job = json.loads(line)
            straight = job["call"] == "endorse"
            call = at_endorser(opened, peer, job) if straight else through_gateway(network, job)
            print(json.dumps(await run(job, call)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
