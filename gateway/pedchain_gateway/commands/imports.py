# SPDX-License-Identifier: Apache-2.0
"""`ped-gateway import|master|quickstart`: an operator's files and master data onto the ledger."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from pedchain_gateway.commands.commandline import (
    FAILED,
    MISUSED,
    Profile,
    fail,
    line,
    on_ledger,
    read_key,
)

if TYPE_CHECKING:
    from pedchain_gateway.importing.importer import Summary
    from pedchain_gateway.importing.store import Store
    from pedchain_gateway.ledger.fabric import FabricLedger

DEFAULT_NETWORK = "pedchain"
"""What a district's document means that names no network."""
District = Annotated[str, Parameter(help="The district's id.")]
ImportKey = Annotated[Path, Parameter(help="The DSO's import key, PEM (P-256).")]


def import_files(
    *files: Path,
    mapping: Path,
    district: District,
    state: Path,
    profile: Annotated[Path | None, Parameter(help="The DSO's connection profile.")] = None,
    key: ImportKey | None = None,
    dry_run: bool = False,
    user: str = "gateway",
) -> int:
    """Take an operator's files and file them on the ledger, signed by the DSO's key.

    May be run again at any time with the same state: what was taken is taken once. Leaves with 0
    where every row is on the ledger, else with 1.

    Parameters
    ----------
    files
        CSV, XLSX, Green Button (ESPI) or CIM files; none to go on with what was taken.
    mapping
        The operator's mapping file.
    state
        Folder of this district's import; `rejected.csv` in it lists every row not taken.
    dry_run
        Only say how the files would go: nothing is kept, nothing is sent.
    user
        Which of the profile's users acts.
    """
    from pedchain_gateway.importing import importer
    from pedchain_gateway.importing.mapping import MappingError, load
    from pedchain_gateway.importing.store import Store

    if not dry_run and (profile is None or key is None):
        return fail("import needs --profile and --key, or --dry-run", MISUSED)
    try:
        style = load(mapping)
    except MappingError as error:
        return fail(error, MISUSED)
    path = state / importer.STORE
    store = Store(None if dry_run and not path.exists() else path)
    try:
        rejected = state / importer.REJECTED if files else None
        summary = importer.collect(store, files, style, line, rejected, keep=not dry_run)
        code = 0
        if not dry_run and profile is not None and key is not None:
            code = _filed(store, summary, district, profile, key, user)
        line(summary.text())
    finally:
        store.close()
    return code or (0 if summary.whole else FAILED)


def _filed(
    store: "Store", summary: "Summary", district: str, profile: Path, key: Path, user: str
) -> int:
    """Bring what was taken onto the ledger; the exit code."""
    from pedchain_gateway.importing import importer
    from pedchain_gateway.importing.telling import Signer
    from pedchain_gateway.ledger.queries import ask_document

    private = read_key(key)

    async def act(ledger: "FabricLedger") -> None:
        document = await ask_document(ledger, "registry", "GetDistrict", district)
        signer = Signer(private, document.get("network", DEFAULT_NETWORK), ledger.channel)
        summary.unregistered, summary.sent = await importer.file(
            ledger, district, store, signer, line
        )
        for point, registers in summary.unregistered.items():
            line(f"{point}: not registered for the DSO ({', '.join(registers)}): its values wait")
        for point, day, reason in store.rejected():
            line(f"{point}: the ledger refused day {day}: {reason}")

    return on_ledger(profile, user, act)


def master(
    folder: Path,
    /,
    *,
    district: District,
    key: ImportKey,
    since: str,
    profile: Profile,
    changes_from: str | None = None,
    dry_run: bool = False,
    user: str = "gateway",
) -> int:
    """Bring FOLDER's sites.csv, points.csv and participations.csv onto the ledger, in bulk.

    Each point also gets the device by which the DSO speaks for it. What is registered as it is
    given is left alone, so the command may be run again with more rows.

    Parameters
    ----------
    folder
        Where sites.csv and points.csv are.
    since
        From when the DSO's devices count: the first day of the history, such as 2023-01-01.
    changes_from
        The day from which on sites and points are as the files say, where they differ from what is
        registered: one that is not certified yet. Without it, what differs is refused.
    dry_run
        Only tell what is new and what would change.
    user
        Which of the profile's users acts.
    """
    from pedchain_domain.der import spki_hex
    from pedchain_gateway.firstday.master import MasterError, instant, load, participations
    from pedchain_gateway.registering import bulk

    spki = spki_hex(read_key(key).public_key())
    try:
        documents, shares = load(folder, spki, instant(since, "--since")), participations(folder)
    except MasterError as error:
        return fail(error, MISUSED)

    async def act(ledger: "FabricLedger") -> None:
        changes = await bulk.compare(ledger, district, documents)
        lacking = await bulk.missing_shares(ledger, district, shares)
        for text in changes.text():
            line(text)
        line(f"{len(lacking)} of {len(shares)} participations new or changed")
        if not dry_run:
            await bulk.bring(ledger, district, changes, changes_from, line)
            await bulk.take_part(ledger, district, lacking, line)

    return on_ledger(profile, user, act)


def quickstart(folder: Path, /, *, profile: Profile, state: Path, user: str = "gateway") -> int:
    """From FOLDER's spreadsheets to a district's certificates, a plot, a preview of sharing.

    May be run again with more files. The DSO's import key is made in `state` where none is.

    Parameters
    ----------
    folder
        district.toml, sites.csv, points.csv, and for each operator NAME.toml with its NAME* files.
    state
        Where the import's memory, the key and the results are kept.
    user
        Which of the profile's users acts.
    """
    from pedchain_gateway.firstday import quickstart as work
    from pedchain_gateway.firstday.district import DistrictError
    from pedchain_gateway.firstday.master import MasterError
    from pedchain_gateway.importing import keys
    from pedchain_gateway.importing.mapping import MappingError
    from pedchain_gateway.importing.telling import Signer

    path = state / "dso.pem"
    if not path.exists():
        keys.create(path)
    key = read_key(path)
    try:
        found = work.read(folder, key)
    except (DistrictError, MasterError, MappingError) as error:
        return fail(error, MISUSED)
    whole = False

    async def act(ledger: "FabricLedger") -> None:
        nonlocal whole
        signer = Signer(key, DEFAULT_NETWORK, ledger.channel)
        summary = await work.run(ledger, signer, found, state, line)
        line(summary.text())
        whole = summary.whole

    return on_ledger(profile, user, act) or (0 if whole else FAILED)
