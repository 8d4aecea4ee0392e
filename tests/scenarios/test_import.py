# SPDX-License-Identifier: Apache-2.0
"""A meter operator's files certify a district as the agents' readings do.

DistrictA is read by agents, with the street's mishaps. DistrictB is the same homes on a ledger that
has never heard of them: two operators' files, the DSO's key, no agent. Two days; the year is in
tests/soak.
"""

import asyncio
import csv
import json
import subprocess
import time
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from emsagent import street as laying
from pedchain_demo import stages
from pedchain_demo.commands import BIN, run
from pedchain_demo.progress import Progress
from pedchain_domain import canonical
from pedchain_domain.calendar import shifted
from pedchain_domain.instants import DAY
from pedchain_domain.sim import street as sim
from pedchain_fabric.client import profile
from tests.scenarios import operators
from tests.scenarios.harness import Network

A, B = sim.DISTRICTS
DAYS = 2
OWN = ("district", "boundary", "root", "batches")
"""What two districts of the same homes differ in."""


@dataclass(frozen=True)
class Imported:
    """Both districts certified; what the import said."""

    network: Network
    folder: Path
    summary: dict[str, Any]

    def certificates(self, district: str) -> list[dict[str, Any]]:
        return asyncio.run(listed(self.network.profile("DSO"), district))

    def run(self, mapping: str, *files: str) -> dict[str, Any]:
        """`ped-gateway import` of B's files; the summary it ends with."""
        return importing(self.network, self.folder, mapping, *files)


async def listed(path: Path, district: str) -> list[dict[str, Any]]:
    async with await profile.connect(path) as gateway:
        contract = gateway.network("ped").contract(f"metering-{district}")
        found, bookmark = [], ""
        while True:
            page = json.loads(await contract.evaluate("ListCertificates", "2000-01-01", bookmark))
            found += page["certificates"]
            bookmark = page["bookmark"]
            if not bookmark:
                return found


def importing(
    network: Network, folder: Path, mapping: str, *files: str, district: str = B
) -> dict[str, Any]:
    out = run(*importing_words(network, folder, mapping, *files, district))
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def importing_words(network: Network, folder: Path, mapping: str, *named: str) -> tuple[str, ...]:
    """The command, of files and their district."""
    *files, district = named
    state = folder / ("import" if district == B else f"import-{district}")
    return (
        "ped-gateway", "import", *(str(folder / "files" / one) for one in files),
        "--mapping", str(folder / "files" / mapping), "--district", district,
        "--state", str(state), "--key", str(folder / "import" / "dso.pem"),
        "--profile", str(network.profile("DSO")),
    )  # fmt: skip


def one_street(end: int, days: int) -> sim.Street:
    """All homes of the demo in one district, with their mishaps but the exchange of a meter: there
    an agent's hour is bridged, and an operator's interval measured."""
    start = end - days * DAY
    made = [*sim.measured_homes(start, end), *sim.generated_homes(start, end)]
    homes = [replace(one, district=A) for one in made]
    feeder = sim.feeder(A, homes, start)
    befallen, mishaps = sim.befall(homes, start, days)
    exchanged = mishaps.exchange.old.removesuffix("-grid")
    befallen = [
        one if one.id == exchanged else other for one, other in zip(homes, befallen, strict=True)
    ]
    mishaps = replace(mishaps, exchange=replace(mishaps.exchange, old="none"))
    carbon = sim.build(end, days).carbon_ug_per_wh
    return sim.Street(start, end, tuple(befallen), (feeder,), mishaps, carbon)


def set_out(network: Network, folder: Path, days: int) -> sim.Street:
    """DistrictA posted by its agents and certified, DistrictB adopted and empty; the files."""
    street = one_street(int(time.time()) // DAY * DAY, days)
    demo = stages.Demo(network.runtime, days, folder, Progress())
    (folder / "network").symlink_to(network.state)
    with stages.gateways(demo):
        # A folder of agents needs a meter in each district; B's is not registered.
        stranger = replace(street.feeders[0], district=B)
        made = replace(street, feeders=(*street.feeders, stranger))
        laying.lay_out(folder / "street", made, demo.urls)
        path = folder / "street" / "registration.json"
        registration = json.loads(path.read_text())
        first = registration["districts"][0]
        registration["districts"] = [first]
        registration["documents"].pop(B)
        path.write_text(json.dumps(registration))
        run("ped-gateway", "register", str(path), "--profile", str(network.profile("DSO")))
        stages.wait_healthy(demo.urls[A])
        demo.street = laying.summary(street)
        stages.one_district(demo, A)
    files = folder / "files"
    operators.write(files, [*street.homes, *street.feeders], f"{B}-feeder")
    last = laying.day_name(street.end)
    (files / "district.toml").write_text(operators.district(first, B, demo.street["days"][0], last))
    return street


def bring_in(network: Network, folder: Path) -> dict[str, Any]:
    """DistrictB by one command, from the folder alone."""
    out = run(
        "ped-gateway", "quickstart", str(folder / "files"), "--state", str(folder / "import"),
        "--profile", str(network.profile("DSO")),
    )  # fmt: skip
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def imported(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Imported:
    folder = tmp_path_factory.mktemp("import")
    set_out(network, folder, DAYS)
    return Imported(network, folder, bring_in(network, folder))


def test_every_row_is_on_the_ledger(imported: Imported) -> None:
    summary = imported.summary
    assert [(one["name"], one["rejected"]) for one in summary["files"]] == [
        ("north.csv", 0), ("south.csv", 0),
    ]  # fmt: skip
    assert all(one["taken"] for one in summary["files"])
    assert (summary["broken"], summary["unregistered"], summary["refused"]) == ({}, {}, 0)


def test_the_first_day_ends_with_a_certificate_a_plot_and_a_preview(imported: Imported) -> None:
    """What sharing would bring sums to what the district's certificates say is shared."""
    results = imported.folder / "import"
    certificates = imported.certificates(B)
    newest = certificates[-1]["day"]
    assert json.loads((results / f"certificate-{newest}.json").read_text()) == certificates[-1]
    assert "<rect" in (results / "sharing.svg").read_text()
    rows = list(csv.DictReader((results / "sharing.csv").read_text().splitlines()))
    assert len(rows) == 48
    given, received = (sum(int(row[name]) for row in rows) for name in ("given_wh", "received_wh"))
    # One hour of a bridged gap is in the certificates and not in the preview.
    assert 0 < given == received <= sum(one["electricity"]["shared_wh"] for one in certificates)


def test_two_operators_files_certify_as_the_agents_readings_do(imported: Imported) -> None:
    """Every number, class, coverage, bound, finding and verdict, of every day."""
    read, brought = imported.certificates(A), imported.certificates(B)
    assert len(read) == DAYS
    for one, two in zip(read, brought, strict=True):
        assert two["classes"]["S"] == 0
        for name in one.keys() | two.keys():
            if name not in OWN:
                assert two[name] == one[name], (one["day"], name)


def test_the_same_files_again_change_nothing(imported: Imported) -> None:
    again = imported.run("north.toml", "north.csv")
    assert (again["records"], again["readings"]) == (0, 0)


def exported(imported: Imported, what: str, *sites: str, district: str = B) -> list[dict[str, Any]]:
    """`ped-gateway export ledger`, as NDJSON."""
    days = [one["day"] for one in imported.certificates(B)]
    out = imported.folder / f"{what}.ndjson"
    run(
        "ped-gateway", "export", "ledger", what, *sites, "--district", district,
        "--from", days[0], "--through", days[-1], "--out", str(out),
        "--profile", str(imported.network.profile("DSO")),
    )  # fmt: skip
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_what_is_exported_is_what_the_ledger_holds(imported: Imported) -> None:
    certificates = imported.certificates(B)
    assert exported(imported, "certificates") == certificates
    versions = exported(imported, "history")
    assert [
        {k: v for k, v in one.items() if k != "transaction"} for one in versions
    ] == certificates
    readings = exported(imported, "readings", "home-01")
    meters = {(one["device"], one["register"]) for one in readings}
    assert len(readings) == len(meters) * (DAYS * 24 + 1)
    intervals = exported(imported, "intervals", "home-01")
    newest = [one for one in intervals if one["run"] == "newest"]
    assert len(newest) == len(meters) * DAYS * 24
    assert {one["class"] for one in newest} == {"M"}


def spoken_for(imported: Imported, site: str) -> None:
    """The DSO speaks for a home of A too, which agents read."""
    one = imported.folder / f"only-{site}"
    one.mkdir()
    for name, place in (("sites.csv", 0), ("points.csv", 1)):
        head, *rows = (imported.folder / "files" / name).read_text().splitlines()
        ours = [row for row in rows if row.replace(";", ",").split(",")[place] == site]
        text = "\n".join([head, *ours]).replace(f"{B}-feeder", f"{A}-feeder")
        (one / name).write_text(text + "\n")
    since = imported.certificates(A)[0]["day"]
    run(
        "ped-gateway", "master", str(one), "--district", A, "--since", since,
        "--key", str(imported.folder / "import" / "dso.pem"),
        "--profile", str(imported.network.profile("DSO")),
    )  # fmt: skip


@pytest.mark.parametrize(("which", "last"), [(0, "1 of 3 days"), (1, "3 of 3 days")])
def test_an_import_killed_on_its_way_is_continued_and_nothing_is_doubled(
    imported: Imported, which: int, last: str
) -> None:
    """Killed once before it sent anything, once while it did or before it folded what it sent."""
    files = imported.folder / "files"
    head, *rows = (files / "north.csv").read_text().splitlines()
    grids = sorted({row.partition(";")[0] for row in rows if "-grid;" in row})
    grid = [one for one in grids if not one.startswith("home-01")][which]
    ours = [row for row in rows if row.startswith(f"{grid};")]
    (files / f"{grid}.csv").write_text("\n".join([head, *ours]) + "\n")
    spoken_for(imported, grid.removesuffix("-grid"))
    words = importing_words(imported.network, imported.folder, "north.toml", f"{grid}.csv", A)
    for said in ("registers to file", last):
        with subprocess.Popen([str(BIN / words[0]), *words[1:]], stdout=subprocess.PIPE) as process:
            for line in process.stdout or ():
                if said in line.decode():
                    process.kill()
                    break
        assert process.returncode != 0
    again = importing(imported.network, imported.folder, "north.toml", f"{grid}.csv", district=A)
    assert (again["refused"], again["unregistered"], again["broken"]) == (0, {}, {})
    found = [
        (row["device"], row["register"], row["instant"])
        for row in exported(imported, "readings", grid.removesuffix("-grid"), district=A)
        if row["device"] == f"{grid}@dso"
    ]
    assert len(found) == len(set(found)) == len(ours)


def test_where_the_operator_says_otherwise_the_difference_is_told(imported: Imported) -> None:
    """A home that agents read gets the operator's word too, 10 kWh more on its second day."""
    files = imported.folder / "files"
    spoken_for(imported, "home-01")
    head, *rows = (files / "north.csv").read_text().splitlines()
    cells = [row.split(";") for row in rows if row.startswith("home-01-grid;1-0:1.8.0")]
    for cell in cells[36:]:
        whole, point, rest = cell[3].partition(",")
        cell[3] = f"{int(whole) + 10}{point}{rest}"
    told = [head, *(";".join(cell) for cell in cells)]
    (files / "other.csv").write_text("\n".join(told) + "\n")
    summary = importing(imported.network, imported.folder, "north.toml", "other.csv", district=A)
    assert (summary["unregistered"], summary["refused"]) == ({}, 0)
    found = exported(imported, "differences", "home-01", district=A)
    assert [(row["difference_wh"], row["finding"]) for row in found] == [
        (0, False),
        (-10_000, True),
    ]


def test_a_districts_yearly_folder_holds_against_the_ledger(imported: Imported) -> None:
    dso = ("--profile", str(imported.network.profile("DSO")))
    out, key = imported.folder / "yearly", imported.folder / "district.pem"
    spki = run("ped-gateway", "yearly", "key", str(key), "--create").strip()
    made = run(
        "ped-gateway", "yearly", "make", "--district", B, "--out", str(out), "--key", str(key),
        "--check", "https://district.example", *dso,
    )  # fmt: skip
    told = json.loads(made.splitlines()[-1])
    check = ("ped-gateway", "yearly", "check", str(out / B / told["folder"]), "--spki", spki, *dso)
    assert run(*check).startswith(f"No claim may be printed for {B}")  # two days are no year
    ours = ("--district", B, "--out", str(out), "--key", str(key))
    run("ped-gateway", "yearly", "revoke", told["code"], "--reason", "a test", *ours)
    assert run(*check, accept=(1,)).strip() == "revoked: a test"


def sampled(imported: Imported, district: str, *opening: str, accept: int = 0) -> str:
    """An auditor of the aggregator copies the DSO's ledger, and says what it found of a sample."""
    ledger = imported.folder / "ledger"
    run("ped-audit", "fetch", str(ledger), "--profile", str(imported.network.profile("DSO")))
    profile = ("--profile", str(imported.network.profile("Aggregator")))
    day = imported.certificates(district)[-1]["day"]
    told = opening or ("--district", district, "--day", day, "--leaves", "8")
    return run("ped-audit", "sample", "record", str(ledger), *profile, *told, accept=(accept,))


@pytest.mark.parametrize("district", [A, B])
def test_a_sample_of_agents_and_of_imported_readings_is_opened_and_verified(
    imported: Imported, district: str
) -> None:
    """Drawn by the certificate's block, opened by the district, held against the ledger by somebody
    else, who says so there; a district that opens nothing is said to have refused."""
    newest = imported.certificates(district)[-1]
    refused = sampled(imported, district)
    assert refused.endswith("0 verified, 8 missing, 0 failed\nINCOMPLETE\n")
    path = imported.folder / f"opening-{district}.json"
    run(
        "ped-gateway", "export", "sample", "--district", district, "--day", newest["day"],
        "--leaves", "24", "--out", str(path), "--profile", str(imported.network.profile(district)),
    )  # fmt: skip
    ours = ("--opening", str(path), "--leaves", "24")
    assert sampled(imported, district, *ours).endswith(
        "24 verified, 0 missing, 0 failed\nVERIFIED\n"
    )
    (found,) = exported(imported, "samples", district=district)
    assert (found["auditor"], found["verified"], found["leaves"]) == ("AggregatorMSP", 24, 24)
    assert (found["root"], found["version"]) == (newest["root"], newest["version"])
    document = json.loads(path.read_text())
    document["opened"][0] = document["opened"][1]
    path.write_bytes(canonical.encode(document))
    ledger = str(imported.folder / "ledger")
    check = ("ped-audit", "sample", "check", str(path), ledger, "--leaves", "24")
    assert run(*check, accept=(1,)).endswith("23 verified, 0 missing, 1 failed\nTAMPERED\n")


def test_what_differs_in_bulk_is_told_and_revised_from_a_day_on(imported: Imported) -> None:
    """Of the homes one has got a larger connection, another takes part by half of it."""
    folder = imported.folder / "bulk"
    folder.mkdir()
    files, newest = imported.folder / "files", imported.certificates(B)[-1]
    head, *rows = (files / "sites.csv").read_text().splitlines()
    at, power = head.split(",").index("id"), head.split(",").index("connection_w")
    cells = [row.split(",") for row in rows]
    changed, other = cells[0][at], cells[1][at]
    cells[0][power] = "63000"
    told = [head, *(",".join(row) for row in cells)]
    (folder / "sites.csv").write_text("\n".join(told) + "\n")
    (folder / "points.csv").write_bytes((files / "points.csv").read_bytes())
    share = f"site,district,ppm,from,to\n{other},{B},500000,{newest['day']},\n"
    (folder / "participations.csv").write_text(share)
    since = tomllib.loads((files / "district.toml").read_text())["first"].isoformat()
    master = (
        "ped-gateway", "master", str(folder), "--district", B, "--since", since,
        "--key", str(imported.folder / "import" / "dso.pem"),
        "--profile", str(imported.network.profile("DSO")),
    )  # fmt: skip
    dry = run(*master, "--dry-run")
    assert f"changed site {changed}: connection_w" in dry
    assert "0 new, 1 changed, 0 that cannot be changed" in dry
    assert "1 of 1 participations new or changed" in dry
    run(*master, accept=(1,))  # no day is named
    run(*master, "--changes-from", newest["day"], accept=(1,))  # it is certified
    after = shifted(newest["day"], 1)
    assert "1 of 1 documents revised" in run(*master, "--changes-from", after)
    again = run(*master, "--dry-run")
    assert "0 new, 0 changed, 0 that cannot be changed" in again
    assert "0 of 1 participations new or changed" in again
    assert imported.certificates(B)[-1] == newest
    ledger = str(imported.folder / "ledger")
    run("ped-audit", "fetch", ledger, "--profile", str(imported.network.profile("DSO")))
    assert run("ped-audit", "verify", ledger, "--quiet").endswith("VERIFIED\n")
