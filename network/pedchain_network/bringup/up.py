# SPDX-License-Identifier: Apache-2.0
"""`up`: from a topology to a network that has just proven it works, from wherever it stands."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import TypeVar

from pedchain_network import profiles
from pedchain_network.bringup import diagnosis, preflight, resuming
from pedchain_network.bringup.waiting import until
from pedchain_network.errors import PartError
from pedchain_network.limits import ALIVE_PAUSE_S, NODE_TIMEOUT_S, UP_TIMEOUT_S
from pedchain_network.pki import crypto, ownership
from pedchain_network.progress import Progress
from pedchain_network.runtimes import listeners, standby
from pedchain_network.runtimes.choice import DOCKER, NATIVE, Choice
from pedchain_network.runtimes.part import Part
from pedchain_network.runtimes.parts import program
from pedchain_network.runtimes.runtime import by_name
from pedchain_network.state import Run, State
from pedchain_network.topology.model import CHAINCODE, Topology

T = TypeVar("T")


async def up(topology: Topology | None, state: State, choice: Choice, progress: Progress) -> Run:
    """Bring the network up, or what is missing of it. Raises `NetworkError`.

    Without a topology it is the one in force, or the reference's the first time. What was started
    stays when a later step fails, so that the next `up` goes on from there and `down` ends it.
    """
    with state.locked():
        wanted, run = resuming.resume(topology, state, choice)
        preflight.check(wanted, state, progress)
        if not ownership.whole(state.crypto, wanted):
            from pedchain_network.bringup import alone

            return await alone.up(wanted, state, run, progress)
        if choice.runtime != DOCKER and not run.processes:
            _load_chaincode(wanted, many=choice.runtime == NATIVE)
        if not state.genesis(wanted.channel).exists():
            state.save_topology(wanted)
        made = crypto.create(state.crypto, wanted)
        if made:
            progress.step(f"keys and certificates of {made} organisations")
        profiles.write(wanted, state, choice.runtime)
        runtime = by_name(choice.runtime)
        try:
            run = runtime.start(wanted, state, run, progress)
            standby.dismiss()
            parts = runtime.parts(state, run)
            async with asyncio.timeout(UP_TIMEOUT_S):
                stuck = await _while_alive(parts, _work(wanted, state, parts, progress))
                if stuck:
                    from pedchain_network.bringup import stragglers

                    run = await stragglers.mend(wanted, state, runtime, run, stuck, progress)
        except TimeoutError as error:
            raise PartError(
                "network",
                f"not up within {UP_TIMEOUT_S:.0f} s",
                fix="ped-network status says what lags; up again goes on from here",
            ) from error
        except PartError as error:
            raise diagnosis.explained(error) from error
        state.save_topology(wanted)
        return run


def _load_chaincode(topology: Topology, *, many: bool) -> None:
    """Chaincode's servers load while keys are made and nodes start; many of them only once."""
    module = standby.module_of(program(topology.chaincode.command))
    if module:
        standby.begin(module, many=many)


async def _while_alive(parts: Sequence[Part], work: Coroutine[None, None, T]) -> T:
    """Do the work, but stop as soon as a process ends: its log says more than our timeouts."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({task}, timeout=ALIVE_PAUSE_S))[0]:
            _require_alive(parts)
        try:
            return task.result()
        except PartError as error:
            _require_alive(parts)
            raise _with_log(error, parts) from error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _with_log(error: PartError, parts: Sequence[Part]) -> PartError:
    """The same error with the last lines of whoever plays that part."""
    for each in parts:
        if error.part in each.listens and not error.log:
            return PartError(error.part, error.what, each.log_tail())
    return error


def _require_alive(parts: Sequence[Part]) -> None:
    for each in parts:
        if not each.alive:
            raise PartError(each.name, "ended", each.log_tail())


async def _work(
    topology: Topology, state: State, parts: Sequence[Part], progress: Progress
) -> Mapping[str, int]:
    """All steps; returns the orderers that take no part in what goes on, with their heights."""
    # Here, so that nodes are starting while we load gRPC and the protocol's messages.
    from pedchain_network.bringup import deploying, joining, probing, stragglers
    from pedchain_network.bringup.members import connect
    from pedchain_network.channel import genesis

    first_block = genesis.ensure_genesis(state.genesis(topology.channel), topology, state.crypto)
    async with connect(topology, state) as members:
        await _listening([each for each in parts if each.kind != CHAINCODE])
        progress.step("all nodes listen")
        await asyncio.gather(
            joining.join_orderers(members, topology.channel, first_block),
            joining.join_peers(members, topology.channel, first_block),
            deploying.install(topology, members),
        )
        nodes = f"{len(topology.peers())} peers and {len(topology.orderers())} orderers"
        progress.step(f"channel {topology.channel} joined by {nodes}")
        # Nobody calls chaincode before there is a definition: its servers may come up meanwhile.
        new, _ = await asyncio.gather(
            deploying.agree(topology, members),
            _listening([each for each in parts if each.kind == CHAINCODE]),
        )
        if new:
            progress.step(f"agreed on {', '.join(new)}")
        await probing.probe(topology, members)
        progress.step("probe transaction endorsed by every organisation and committed")
        return await stragglers.find(stragglers.of(members, topology.channel))


async def _listening(parts: Sequence[Part]) -> None:
    await asyncio.gather(
        *(_answers(each, address) for each in parts for address in each.listens.values())
    )


async def _answers(each: Part, address: str) -> None:
    try:
        await until(partial(listeners.answers, address), each.name, "listen", NODE_TIMEOUT_S)
    except PartError as error:
        text = f"does not listen on {address}"
        raise PartError(each.name, text, each.log_tail()) from error
