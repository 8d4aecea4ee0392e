# SPDX-License-Identifier: Apache-2.0
"""`ped-audit`: copy a ledger, verify a copy, ask it, hold views against each other.

Exit 0 verified, 1 tampered or split, 2 could not check.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from pedchain_audit import asking, report, watching
from pedchain_audit.archive import Archive
from pedchain_audit.errors import ArchiveError, VerificationError
from pedchain_audit.verify import Figures, Scope
from pedchain_audit.verify import verify as run_audit
from pedchain_fabric.errors import FabricError

app = App(name="ped-audit", help="Independent verification of the ledger from raw blocks.")
proof = App(name="proof", help="Proofs that an interval lies under a certificate.")
app.command(proof)
sample = App(name="sample", help="A district's opened sample of a certified day.")
app.command(sample)
Views = Annotated[list[Path], Parameter(consume_multiple=True)]


@app.command
def fetch(folder: Path, *, profile: Path, user: str = "auditor") -> int:
    """Copy a peer's ledger into FOLDER, private data as far as USER may read it.

    The genesis block is taken from the profile, so that the peer cannot choose it.
    """
    from pedchain_audit.collect import collect

    def copied() -> str:
        archive = asyncio.run(collect(profile, folder, user=user))
        return f"{archive.height()} blocks in {folder}"

    return said(copied)


@app.command
def verify(
    folder: Path,
    *,
    first: Annotated[int, Parameter(name="--from")] = 0,
    last: Annotated[int | None, Parameter(name="--to")] = None,
    checkpoint: Path | None = None,
    processes: int = 1,
    html: Path | None = None,
    json: bool = False,
    quiet: bool = False,
) -> int:
    """Verify the ledger in FOLDER; the last line is VERIFIED or TAMPERED.

    Parameters
    ----------
    first
        First block to check. Those before are replayed as the peer noted them.
    last
        Last block to check.
    checkpoint
        A file of your own: a run goes on where the last one ended, and leaves how far it came.
    processes
        How many to use; more than one share the computing of signatures.
    html
        Where to write the report for people.
    json
        Print one JSON object.
    quiet
        Show no progress.
    """
    scope = Scope(first, last, processes - 1, checkpoint)
    figures: Figures | None = None
    error: VerificationError | None = None
    progress = (lambda number, height: None) if quiet else show
    try:
        figures = run_audit(Archive(folder), progress, scope)
    except VerificationError as found:
        error = found
    except ArchiveError as found:
        return complain(str(found))
    if html is not None:
        from pedchain_audit import htmlreport

        html.write_text(htmlreport.page(asking.channel(Archive(folder)), figures, error))
    result = figures or error
    assert result is not None
    print(report.machine(result) if json else report.told(result))
    return 1 if error else 0


@app.command
def history(folder: Path, definition: str, *key: str) -> int:
    """Every valid write of a public key in FOLDER, oldest first, with who and who endorsed.

    KEY is a plain key, or the kind and the attributes of a composite one:
    `history LEDGER metering-DistrictA certificate 2026-11-20`.
    """
    return said(lambda: asking.history(Archive(folder), definition, key))


@app.command
def certificate(folder: Path, district: str, day: str) -> int:
    """A day's certificate in FOLDER: its versions, and what the audit found of them."""
    return said(lambda: asking.certificate(Archive(folder), district, day))


@app.command
def settlement(folder: Path) -> int:
    """Market sessions and shared hours in FOLDER, settled anew."""
    return said(lambda: asking.settlement(Archive(folder)))


@app.command
def compare(views: Views, *, user: str = "auditor") -> int:
    """Hold views of one ledger against each other; the last line is SAME or SPLIT.

    VIEWS are profiles of organisations whose peers to ask, or folders of copied ledgers.
    """
    return said(lambda: asyncio.run(watching.compare(views, user)))


@app.command
def watch(
    views: Views,
    *,
    key: Path,
    log: Path,
    others: Annotated[list[Path] | None, Parameter(consume_multiple=True)] = None,
    every: float = 60.0,
    once: bool = False,
    user: str = "auditor",
) -> int:
    """Be a witness: sign the heads that VIEWS show into LOG; stop with SPLIT when two differ.

    Parameters
    ----------
    views
        Profiles of organisations whose peers to ask, or folders of copied ledgers.
    key
        The witness's private key (PEM); made there if there is none.
    log
        Where to write what was shown, one signed line each.
    others
        Logs of other witnesses, read again in each round.
    every
        Seconds between rounds.
    once
        One round only.
    user
        Whose certificate of the profiles to ask with.
    """
    watched = watching.Watch(tuple(views), key, log, tuple(others or ()), every, once, user)
    return said(lambda: asyncio.run(watching.watch(watched, show_line)))


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

    def made() -> str:
        found = asyncio.run(proofs.fetch(profile, district, point, day, interval, user=user))
        proofs.write(output, found)
        return f"{output}: {point} at {interval}, {district} {day}"

    return said(made)


@proof.command(name="check")
def check_proof(file: Path, *, ledger: Path | None = None, certificate: Path | None = None) -> int:
    """Check the proof in FILE, offline; the last line is VERIFIED or TAMPERED.

    LEDGER is a copied ledger (`fetch`); or CERTIFICATE a file with the day's certificate, which is
    then believed.
    """
    from pedchain_audit import proofs

    def checked() -> str:
        return f"{proofs.check_file(file, ledger, certificate)}\nVERIFIED"

    return said(checked)


Leaves = Annotated[int, Parameter(help="How many leaves the block's hash draws, up to 256.")]


@sample.command(name="check")
def check_sample(opening: Path, ledger: Path, *, leaves: Leaves = 32) -> int:
    """Check the OPENING a district made against a copied LEDGER; the last line is VERIFIED,
    INCOMPLETE (some leaves were not opened) or TAMPERED."""
    from pedchain_audit import samples

    found: list[samples.Result] = []

    def checked() -> str:
        found.append(samples.checked(opening, Archive(ledger), leaves))
        return samples.text(found[0])

    return said(checked) or int(not found[0].holds)


@sample.command(name="record")
def record_sample(
    ledger: Path,
    *,
    profile: Path,
    opening: Path | None = None,
    district: str | None = None,
    day: str | None = None,
    leaves: Leaves = 32,
    user: str = "auditor",
) -> int:
    """Put what a sample's check found onto the ledger: counts and digests, no value.

    Parameters
    ----------
    opening
        What the district opened. Without it, DISTRICT and DAY say who refused to.
    profile
        Of an organisation that is not the district.
    """
    from pedchain_audit import samples

    def found() -> samples.Result:
        if opening is not None:
            return samples.checked(opening, Archive(ledger), leaves)
        if district is None or day is None:
            raise ArchiveError("name an --opening, or the --district and --day that opened none")
        return samples.refused(Archive(ledger), district, day, leaves)

    def recorded() -> str:
        result = found()
        asyncio.run(samples.record(profile, result, user))
        return samples.text(result)

    return said(recorded)


def said(command: Callable[[], str]) -> int:
    """Prints what a command finds; its exit code."""
    try:
        print(command())
    except VerificationError as error:
        print(report.tampered(error))
        return 1
    except watching.SplitViewError as error:
        print(f"{error}\nSPLIT")
        return 1
    except (ArchiveError, FabricError, OSError) as error:
        return complain(str(error))
    return 0


def show(number: int, height: int) -> None:
    """Progress on a terminal; elsewhere none."""
    if sys.stderr.isatty() and (number % 16 == 0 or number + 1 == height):
        end = "\n" if number + 1 == height else ""
        print(f"\rblock {number + 1} of {height}", end=end, file=sys.stderr, flush=True)


def show_line(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def complain(text: str) -> int:
    print(f"ped-audit: {text}", file=sys.stderr)
    return 2


def main() -> None:
    """Entry point of the command."""
    sys.exit(app(result_action="return_value"))
