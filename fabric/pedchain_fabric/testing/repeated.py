# SPDX-License-Identifier: Apache-2.0
"""The same transactions in several processes: do they give the same bytes?

Endorsers of several organisations must agree to the byte. What makes them differ (the order of a
set, the time zone, the Python version) does not show in one process. So a scenario, any coroutine
function that takes a `MemoryPeer`, runs under five hash seeds, time zones and locales, and under
every further Python that is named:

    python -m pedchain_fabric.testing.repeated mycontracts.tests.scenario:run --python python3.13
"""

import argparse
import asyncio
import hashlib
import importlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from pedchain_fabric.shim.testing import MemoryPeer, TransactionFailed
from pedchain_fabric.shim.testing.outcome import Outcome

Scenario = Callable[[MemoryPeer], Awaitable[None]]

NOTHING: Mapping[str, bytes] = {}
TIMEOUT_S = 300
"""Longest run of one process."""

SETTINGS: tuple[Mapping[str, str], ...] = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "1", "TZ": "Asia/Kolkata", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "C"},
    {"PYTHONHASHSEED": "3", "TZ": "Europe/Rome", "LC_ALL": "C.UTF-8"},
    {"PYTHONHASHSEED": "4", "TZ": "Pacific/Chatham", "LC_ALL": "C"},
)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first call whose trace differs: who ran it, what the first run and this one gave."""

    run: str
    call: int
    first: str
    other: str

    def __str__(self) -> str:
        head = f"{self.run} differs from the first run at call {self.call}:"
        return f"{head}\n  {self.first}\n  {self.other}"


class RecordingPeer(MemoryPeer):
    """Keeps a line of digests for every call, refused ones included."""

    def __init__(self) -> None:
        super().__init__()
        self.trace: list[str] = []

    async def endorse(
        self,
        chaincode: str,
        function: str,
        *args: str | bytes,
        transient: Mapping[str, bytes] = NOTHING,
        creator: bytes | None = None,
    ) -> Outcome:
        """As `MemoryPeer.endorse`."""
        try:
            outcome = await super().endorse(
                chaincode, function, *args, transient=transient, creator=creator
            )
        except TransactionFailed as failed:
            self.trace.append(f"{chaincode} {function} refused {failed}")
            raise
        name, payload = outcome.event or ("-", b"")
        parts = (outcome.results, outcome.private_results, outcome.payload, payload)
        digests = " ".join(hashlib.sha256(part).hexdigest()[:16] for part in parts)
        self.trace.append(f"{chaincode} {function} {name} {digests}")
        return outcome


def compare(scenario: str, pythons: Sequence[str] = ()) -> tuple[int, Difference | None]:
    """Run `module:function` once per setting and once more per further Python interpreter.

    Returns how many calls each run made, and the first difference, if there is any. Raises
    `RuntimeError` if a run fails.
    """
    runs = [(sys.executable, setting) for setting in SETTINGS]
    runs += [(python, SETTINGS[0]) for python in pythons]
    first: list[str] | None = None
    for python, setting in runs:
        trace = _trace(python, setting, scenario)
        if first is None:
            first = trace
        if found := _difference(f"{python} {dict(setting)}", first, trace):
            return len(first), found
    return len(first or ()), None


def _difference(run: str, first: Sequence[str], other: Sequence[str]) -> Difference | None:
    for number in range(max(len(first), len(other))):
        lines = [trace[number] if number < len(trace) else "(nothing)" for trace in (first, other)]
        if lines[0] != lines[1]:
            return Difference(run, number + 1, *lines)
    return None


def _trace(python: str, setting: Mapping[str, str], scenario: str) -> list[str]:
    # The search path goes along: the scenario is found there as it is found here.
    told = {**os.environ, **setting, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [python, "-m", __spec__.name if __spec__ else __name__, "--once", scenario]
    done = subprocess.run(  # noqa: S603 - interpreters the caller named
        command, env=told, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout.splitlines()


def _once(scenario: str) -> int:
    module, _, function = scenario.partition(":")
    run: Scenario = getattr(importlib.import_module(module), function)
    peer = RecordingPeer()
    asyncio.run(_awaited(run, peer))
    sys.stdout.write("".join(f"{line}\n" for line in peer.trace))
    return 0


async def _awaited(run: Scenario, peer: MemoryPeer) -> None:
    await run(peer)


def main() -> int:
    """Exit code 0 if all runs agree, 1 if one differs, 2 if one fails."""
    parser = argparse.ArgumentParser(description="The same transactions in several processes.")
    parser.add_argument("scenario", metavar="MODULE:FUNCTION")
    parser.add_argument("--python", action="append", default=[], metavar="INTERPRETER")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.once:
        return _once(told.scenario)
    try:
        calls, difference = compare(told.scenario, told.python)
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    processes = len(SETTINGS) + len(told.python)
    good = f"{calls} calls give the same bytes in {processes} processes"
    sys.stdout.write(f"{difference or good}\n")
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
