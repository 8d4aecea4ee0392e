# SPDX-License-Identifier: Apache-2.0
"""How fast a ledger is audited on one core, beside what its signatures alone would take.

The ledger is that of a demo of some weeks, so that start-up does not count. Its public half is
audited without private data, so without device signatures; these are timed apart, each with all
that its record needs: form, key as of its counter, signature, row, Merkle leaf. What remains of the
whole is folding and certificates.
The rival is the raw P-256 verification of this machine: no auditor can be faster. CPU time, the
least of three, which other work on the machine hardly enters; `..._by_clock` and one process beside
two are by the clock.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from bench.processes import BIN
from pedchain_audit.archive import Archive
from pedchain_audit.verify import Audit, Figures, Scope, verify
from pedchain_audit.workers import Alone, Place

DAYS = 20
ROUNDS = 3
VERIFICATIONS = 2_000


def measure() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        ledger = demo(Path(folder) / "demo")
        whole = verify(Archive(ledger))
        whole_s = cpu_s(lambda: verify(Archive(ledger)))
        alone_s = wall_s(lambda: verify(Archive(ledger)))
        shared_s = wall_s(lambda: verify(Archive(ledger), scope=Scope(processes=1)))
        batches = Batches.of(Archive(ledger))
        batches_s = cpu_s(batches.check_all)
        batches_clock_s = wall_s(batches.check_all)
        shutil.rmtree(ledger / "private")
        public_s = cpu_s(lambda: verify(Archive(ledger)))
        public_clock_s = wall_s(lambda: verify(Archive(ledger)))
    ceiling = VERIFICATIONS / cpu_s(raw_verifications())
    return {
        "transactions": whole.transactions,
        "transactions_per_s_per_core": round(whole.transactions / public_s),
        "transactions_per_s_by_clock": round(whole.transactions / public_clock_s),
        "signatures_per_transaction": round(signatures(whole) / whole.transactions, 1),
        "device_signatures": whole.device_signatures,
        "device_signatures_per_s_per_core": round(whole.device_signatures / batches_s),
        "device_signatures_per_s_by_clock": round(whole.device_signatures / batches_clock_s),
        "readings_certified_per_s_per_core": round(whole.device_signatures / (whole_s - public_s)),
        "p256_verifications_per_s_per_core": round(ceiling),
        "two_processes_speedup": round(alone_s / shared_s, 2),
    }


class Batches(Alone):
    """Notes what an audit would have checked of batches, to be timed alone."""

    def __init__(self) -> None:
        self.tasks: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    @classmethod
    def of(cls, archive: Archive) -> "Batches":
        noted = cls()
        audit = Audit(archive, work=noted)
        for number, raw in archive.blocks():
            audit.block(number, raw)
        return noted

    def check(self, place: Place, task: Callable[..., object], *arguments: Any) -> None:
        self.tasks.append((task, arguments))

    def check_all(self) -> None:
        for task, arguments in self.tasks:
            task(*arguments)


def demo(folder: Path) -> Path:
    """The ledger a short demo on the embedded network leaves behind."""
    command = ("--runtime", "embedded", "--days", str(DAYS), "--folder", str(folder))
    subprocess.run([str(BIN / "ped-demo"), *command], check=True, stdout=subprocess.DEVNULL)
    return folder / "ledger"


def signatures(figures: Figures) -> int:
    """Signatures that the public half holds: creators', endorsers', orderers'."""
    return figures.transactions + figures.endorsements + figures.orderer_signatures


def raw_verifications() -> Callable[[], None]:
    """Verifying one message's signature again and again."""
    key, message, algorithm = (
        ec.generate_private_key(ec.SECP256R1()),
        bytes(1_000),
        ec.ECDSA(SHA256()),
    )
    signature, public = key.sign(message, algorithm), key.public_key()

    def run() -> None:
        for _ in range(VERIFICATIONS):
            public.verify(signature, message, algorithm)

    return run


def cpu_s(function: Callable[[], object]) -> float:
    """CPU seconds of a call, the least of several."""
    found = []
    for _ in range(ROUNDS):
        start = time.process_time()
        function()
        found.append(time.process_time() - start)
    return min(found)


def wall_s(function: Callable[[], object]) -> float:
    """Seconds by the clock, the least of several."""
    found = []
    for _ in range(ROUNDS):
        start = time.monotonic()
        function()
        found.append(time.monotonic() - start)
    return min(found)
