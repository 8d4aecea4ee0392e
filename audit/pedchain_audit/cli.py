# SPDX-License-Identifier: Apache-2.0
"""`ped-audit`: copy a ledger, verify a copy, prove an interval.

Exit 0 verified, 1 tampered, 2 could not check.
"""

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
proof = App(name="proof", help="Proofs that an interval lies under a certificate.")
app.command(proof)


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


@proof.command(name="make")
def make_proof(
    point: str,
    interval: int,
    *,
    day: str,
    district: str,
    profile: Path,
    output: Path = Path("proof.json"),
    user: str = "gateway",
) -> int:
    """Fetch the proof that a POINT's INTERVAL (its start, UTC epoch seconds) is certified.

    Only members of the district's collection can; OUTPUT tells this interval and nothing else.
    """
    from pedchain_audit import proofs

    try:
        made = asyncio.run(proofs.fetch(profile, district, point, day, interval, user=user))
    except FabricError as error:
        return complain(str(error))
    proofs.write(output, made)
    print(f"{output}: {point} at {interval}, {district} {day}")
    return 0


@proof.command(name="check")
def check_proof(file: Path, *, ledger: Path | None = None, certificate: Path | None = None) -> int:
    """Check the proof in FILE, offline; the last line is VERIFIED or TAMPERED.

    LEDGER is a copied ledger (`fetch`); or CERTIFICATE a file with the day's certificate, which is
    then believed.
    """
    from pedchain_audit import proofs

    try:
        found = proofs.read(file)
        if certificate is not None:
            held = proofs.read(certificate)
            roots = {str(held.get("root")): str(held.get("run"))}
        elif ledger is not None:
            day, district = str(found.get("day")), str(found.get("district"))
            roots = proofs.roots_of(Archive(ledger), district, day)
        else:
            return complain("name a --ledger or a --certificate to check against")
        print(proofs.check(found, roots))
    except VerificationError as error:
        print(f"{error.text}\nTAMPERED")
        return 1
    except ArchiveError as error:
        return complain(str(error))
    print("VERIFIED")
    return 0


def complain(text: str) -> int:
    print(f"ped-audit: {text}", file=sys.stderr)
    return 2


def main() -> None:
    """Entry point of the command."""
    sys.exit(app(result_action="return_value"))
