# SPDX-License-Identifier: Apache-2.0
"""`up`: from a topology to a network that has just proven it works, from wherever it stands."""

import asyncio
from collections.abc import Coroutine, Sequence
from functools import partial

from pedchain_network import crypto, native, ports, process, profiles
from pedchain_network import embedded as embedded_runtime
from pedchain_network.errors import PartError, StateError
from pedchain_network.limits import NODE_TIMEOUT_S, PAUSE_S, UP_TIMEOUT_S
from pedchain_network.process import Process, Spec
from pedchain_network.progress import Progress
from pedchain_network.runtime import Choice
from pedchain_network.state import Run, State
from pedchain_network.topology import Topology
from pedchain_network.waiting import until

_PROCESSES = {"native": native.processes, "embedded": embedded_runtime.processes}


async def up(topology: Topology, state: State, choice: Choice, progress: Progress) -> Run:
    """Bring the network up, or what is missing of it. Raises `NetworkError`.

    What was started stays when a later step fails, so that the next `up` goes on from there and
    `down` ends it.
    """
    with state.locked():
        run = _resume(topology, state, choice)
        made = crypto.create(state.crypto, topology)
        if made:
            progress.step(f"keys and certificates of {made} organisations")
        profiles.write(topology, state, choice.runtime)
        run = _start(state, run, _PROCESSES[choice.runtime](topology, state), progress)
        try:
            async with asyncio.timeout(UP_TIMEOUT_S):
                await _while_alive(run.processes, _work(topology, state, run, progress))
        except TimeoutError as error:
            raise PartError("network", f"not up within {UP_TIMEOUT_S:.0f} s") from error
        return run


def _resume(topology: Topology, state: State, choice: Choice) -> Run:
    run = state.load()
    if run is None:
        if state.genesis(topology.channel).exists():
            raise StateError(f"{state.root} holds a channel but no record of it", "run clean")
        return Run(choice.runtime, topology.channel, topology.digest)
    if run.runtime != choice.runtime:
        raise StateError(
            f"{state.root} holds a network of runtime {run.runtime}, not {choice.runtime}",
            f"use --runtime {run.runtime}, another --state, or clean",
        )
    if run.digest != topology.digest:
        raise StateError(
            f"{state.root} was made from another topology",
            "use the topology it was made from, another --state, or clean",
        )
    return run


def _start(state: State, run: Run, specs: Sequence[Spec], progress: Progress) -> Run:
    """Start what does not run; every process is on record before the next one starts."""
    running = {each.name for each in run.processes if each.alive}
    missing = [spec for spec in specs if spec.name not in running]
    ports.require_free(listener for spec in missing for listener in spec.listens.items())
    state.save(run)
    for spec in missing:
        try:
            run = run.with_process(process.start(spec))
        except OSError as error:
            raise PartError(spec.name, f"cannot start {spec.command[0]}: {error}") from error
        state.save(run)
    if missing:
        progress.step(f"started {len(missing)} processes")
    else:
        progress.step(f"all {len(running)} processes run already")
    return run


async def _while_alive(processes: Sequence[Process], work: Coroutine[None, None, None]) -> None:
    """Do the work, but stop as soon as a process ends: its log says more than our timeouts."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({task}, timeout=PAUSE_S))[0]:
            _require_alive(processes)
        try:
            task.result()
        except PartError as error:
            _require_alive(processes)
            raise _with_log(error, processes) from error
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _with_log(error: PartError, processes: Sequence[Process]) -> PartError:
    """The same error with the last lines of whoever plays that part."""
    for each in processes:
        if error.part in each.listens and not error.log:
            return PartError(error.part, error.what, each.log_tail())
    return error


def _require_alive(processes: Sequence[Process]) -> None:
    for each in processes:
        if not each.alive:
            raise PartError(each.name, "ended", each.log_tail())


async def _work(topology: Topology, state: State, run: Run, progress: Progress) -> None:
    # Here, so that nodes are starting while we load gRPC and the protocol's messages.
    from pedchain_network import channel, deploying, joining, probing
    from pedchain_network.members import connect

    genesis = channel.ensure_genesis(state.genesis(topology.channel), topology, state.crypto)
    async with connect(topology, state) as members:
        await _listening(run.processes)
        progress.step("all nodes listen")
        await asyncio.gather(
            joining.join_orderers(members, topology.channel, genesis),
            joining.join_peers(members, topology.channel, genesis),
            deploying.install(topology, members),
        )
        progress.step(f"channel {topology.channel} joined by {len(members)} peers and orderers")
        new = await deploying.agree(topology, members)
        if new:
            progress.step(f"agreed on {', '.join(new)}")
        await probing.probe(topology, members)
        progress.step("probe transaction endorsed by every organisation and committed")


async def _listening(processes: Sequence[Process]) -> None:
    await asyncio.gather(
        *(_answers(each, address) for each in processes for address in each.listens.values())
    )


async def _answers(each: Process, address: str) -> None:
    try:
        await until(partial(ports.answers, address), each.name, "listen", NODE_TIMEOUT_S)
    except PartError as error:
        text = f"does not listen on {address}"
        raise PartError(each.name, text, each.log_tail()) from error
