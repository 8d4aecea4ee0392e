# SPDX-License-Identifier: Apache-2.0
"""`ped-audit`: copy a ledger, and verify a copy. Exit 0 verified, 1 tampered, 2 could not check."""

import asyncio
import sys
from pathlib import Path

from cyclopts import App

from pedchain_audit import report
from pedchain_audit.archive import Archive
from pedchain_audit.errors import ArchiveError, VerificationError
from pedchain_audit.verify import verify as run_audit
from pedchain_fabric.errors import FabricError

app = App(name="ped-audit", help="Independent verification of the ledger from raw blocks.")


@app.command
def fetch(folder: Path, *, profile: Path, user: str = "auditor") -> int:
    """Copy a peer's ledger into FOLDER, private data as far as USER may read it.

    The genesis block is taken from the profile, so that the peer cannot choose it.
    """
    from pedchain_audit.collect import collect

    try:
        archive = asyncio.run(collect(profile, folder, user=user))
    except (ArchiveError, FabricError) as error:
        return complain(str(error))
    print(f"{archive.height()} blocks in {folder}")
    return 0


@app.command
def verify(folder: Path, *, json: bool = False) -> int:
    """Verify the ledger in FOLDER; the last line is VERIFIED or TAMPERED."""
    try:
        figures = run_audit(Archive(folder))
    except VerificationError as error:
        print(report.machine(error) if json else report.tampered(error))
        return 1
    except ArchiveError as error:
        return complain(str(error))
    print(report.machine(figures) if json else report.text(figures))
    return 0


def complain(text: str) -> int:
    print(f"ped-audit: {text}", file=sys.stderr)
    return 2


def main() -> None:
    """Entry point of the command."""
    sys.exit(app(result_action="return_value"))
