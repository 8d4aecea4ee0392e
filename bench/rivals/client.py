# SPDX-License-Identifier: Apache-2.0
"""Our client under load: reads one job per line, answers one JSON object per line.

A job is {"call": "evaluate"|"submit", "chaincode", "function", "args", "count", "lanes"}, the same
that node/client.js takes.
"""

import asyncio
import json
import resource
import sys
import time
from functools import partial
from typing import Any

from pedchain_fabric.client import Contract, Network, profile
from pedchain_fabric.errors import CommitError, SubmitError

PATIENCE_S = 60.0  # a slow answer is a figure too


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


async def run(network: Network, job: dict[str, Any]) -> dict[str, float]:
    """`lanes` calls at a time until `count` are done."""
    contract = network.contract(job["chaincode"])
    evaluate = partial(contract.evaluate, deadline=PATIENCE_S)
    call = evaluate if job["call"] == "evaluate" else partial(submit, network, contract)
    left = iter(range(job["count"]))

    async def lane(number: int) -> None:
        for each in left:
            await call(job["function"], *(a.replace("#", f"{number}-{each}") for a in job["args"]))

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
    async with await profile.connect(opened, "gateway") as gateway:
        network = gateway.network(opened.channel)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(await run(network, json.loads(line))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
