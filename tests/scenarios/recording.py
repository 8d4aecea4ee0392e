# SPDX-License-Identifier: Apache-2.0
"""Ledgers of real Fabric, kept for replay (`make golden`)."""

import shutil
from pathlib import Path


def keep(ledger: Path, golden: Path) -> None:
    """Replaces the recorded blocks and private data; what is written about them stays."""
    for name in ("blocks", "private"):
        shutil.rmtree(golden / name, ignore_errors=True)
        shutil.copytree(ledger / name, golden / name)
    shutil.copy(ledger / "genesis.block", golden)
