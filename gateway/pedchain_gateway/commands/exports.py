# SPDX-License-Identifier: Apache-2.0
"""`ped-gateway export`: what stands on a district's ledger, as CSV or NDJSON."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from pedchain_gateway.commands.commandline import MISUSED, Profile, User, fail, line, on_ledger

if TYPE_CHECKING:
    from pedchain_gateway.ledger.fabric import FabricLedger

app = App(name="export", help="Certificates, intervals, readings, differences, an import's values.")
District = Annotated[str, Parameter(help="The district's id.")]
First = Annotated[str, Parameter(name="--from", help="The first day, as 2026-03-01.")]
Through = Annotated[str, Parameter(help="The last day.")]
Out = Annotated[Path, Parameter(help="The file to write: NAME.csv or NAME.ndjson.")]
PUBLIC = ("certificates", "months", "history", "samples")


@app.command(name="ledger")
def of_ledger(
    what: Literal[
        "certificates", "months", "history", "samples", "intervals", "readings", "differences"
    ],
    sites: list[str] | None = None,
    /,
    *,
    profile: Profile,
    district: District,
    first: First,
    through: Through,
    out: Out,
    user: User = "gateway",
) -> int:
    """Export what the ledger holds of a district's days.

    Certificates, months, history (every version, with its transaction) and what auditors found of
    samples are public. Intervals,
    readings and differences (the DSO's values against agents' and meters', rules R8) are private
    data of the SITES named, for members of the collection.

    Parameters
    ----------
    what
        What to export.
    sites
        Sites, for what is private.
    """
    from pedchain_gateway.exporting import ledger as exports
    from pedchain_gateway.exporting.tables import write

    if out.suffix not in (".csv", ".ndjson"):
        return fail("--out must end with .csv or .ndjson", MISUSED)
    if (what in PUBLIC) == bool(sites):
        told = "takes no sites" if sites else "needs the sites it is of"
        return fail(f"{what} {told}", MISUSED)
    span = exports.Span(district, first, through)
    form: Literal["csv", "ndjson"] = "csv" if out.suffix == ".csv" else "ndjson"

    def found(ledger: "FabricLedger") -> AsyncIterator[dict[str, Any]]:
        public: dict[str, Callable[..., AsyncIterator[dict[str, Any]]]] = {
            "certificates": exports.certificates,
            "months": exports.months,
            "history": exports.history,
            "samples": exports.samples,
        }
        private = {
            "intervals": exports.intervals,
            "readings": exports.readings,
            "differences": exports.differences,
        }
        if what in public:
            return public[what](ledger, span)
        return private[what](ledger, span, sites or [])

    async def act(ledger: "FabricLedger") -> None:
        count = await write(found(ledger), out, form)
        line(f"{out}: {count} {what}")

    return on_ledger(profile, user, act)


@app.command
def values(
    *,
    state: Path,
    out: Path,
    form: Annotated[Literal["csv", "xlsx", "espi", "cim"], Parameter(name="--format")] = "csv",
) -> int:
    """Export the values an import holds, in a format that import reads, each with its mapping.

    Parameters
    ----------
    state
        The import's state folder.
    out
        Folder to write into.
    form
        csv, xlsx, espi or cim.
    """
    from pedchain_gateway.exporting.operators import NotExpressibleError, write
    from pedchain_gateway.importing import importer
    from pedchain_gateway.importing.store import Store

    if not (state / importer.STORE).exists():
        return fail(f"{state}: no import's state", MISUSED)
    store = Store(state / importer.STORE)
    try:
        for path in write(store, out, form):
            line(str(path))
    except NotExpressibleError as error:
        return fail(error)
    finally:
        store.close()
    return 0


@app.command
def sample(
    *,
    profile: Profile,
    district: District,
    day: Annotated[str, Parameter(help="The certified day.")],
    out: Annotated[Path, Parameter(help="The file to write; private data, for the auditor alone.")],
    leaves: Annotated[int, Parameter(help="How many leaves to open, up to 256.")] = 32,
    user: User = "gateway",
) -> int:
    """Open a day's sample for an auditor: the leaves that the hash of the certificate's block
    draws, with their records, salts and paths. `ped-audit sample` checks the file."""
    from pedchain_domain import canonical
    from pedchain_gateway.exporting.opening import Opening

    async def act(ledger: "FabricLedger") -> None:
        found = await Opening(ledger, district, day, lambda _: None).make(leaves)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.touch(mode=0o600)
        out.write_bytes(canonical.encode(found))
        line(f"{out}: {found['leaves']} leaves of {district} {day}")

    return on_ledger(profile, user, act)
