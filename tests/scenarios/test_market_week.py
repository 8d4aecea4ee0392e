# SPDX-License-Identifier: Apache-2.0
"""Two districts share and trade a day of electricity and heat, and the auditor redoes every
settlement from raw blocks. A week of it: tests/soak."""

import asyncio
import csv
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pedchain_audit.collect import collect
from pedchain_audit.verify import verify
from tests.scenarios.certified import BIN
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.leaving import leave
from tests.scenarios.onnetwork import connected
from tests.scenarios.week import COMMUNITIES, HOMES, HOURS, RICH, Week, name_of, products

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module", params=RUNTIMES)
async def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    with make_network(request.param, tmp_path_factory.mktemp("week")) as made:
        made.run("up")
        yield made


async def test_two_districts_share_and_trade_electricity_and_heat(
    consortium: Network, tmp_path: Path
) -> None:
    await lived_and_audited(consortium, tmp_path, days=1)


async def lived_and_audited(consortium: Network, tmp_path: Path, days: int) -> None:
    """So many days from orders to statements, then the audit of all of it."""
    corrected = await lived(consortium, tmp_path, range(1, days + 1))
    figures = verify(await collect(consortium.profile("DSO"), tmp_path / "ledger"))
    assert figures.sessions == days * len(products(1))
    assert figures.shared_hours == days * len(COMMUNITIES) * len(HOURS) + corrected
    assert (figures.origin_certificates > 0, figures.twice_wh) == (True, 0)
    assert figures.not_checked == []


async def lived(consortium: Network, tmp_path: Path, days: range) -> int:
    """The days; how many shared hours were corrected."""
    async with connected(consortium.profiles) as peer:
        week = Week(peer)
        await week.open_all(len(days))
        await live(week, days)
        corrected = await week.correct(days[0], "DistrictA")
        assert await leave(consortium, week, days[0], "a1") > 0
        await everything_is_counted_once(week, days)
        await asyncio.to_thread(statements, consortium, tmp_path)
    return corrected


def statements(consortium: Network, folder: Path) -> None:
    """A member's month with all its lines, and the communities' bank file, by the command line."""
    fees = {"schema": "tariff/1", "version": "t1", "import": 90_000, "shared": 50_000}
    (folder / "tariff.json").write_text(json.dumps({**fees, "bought": 80_000}))
    payees = {f"acc-{name}": f"ref-{name}" for held in HOMES.values() for name in held}
    (folder / "payees.json").write_text(json.dumps(payees))
    month = ("--month", name_of(1)[:7])
    command(consortium, "statement", "acc-b1", *month, "--tariff", str(folder / "tariff.json"),
            "--out", str(folder))  # fmt: skip
    command(consortium, "bank-file", *month, "--payees", str(folder / "payees.json"),
            "--out", str(folder / "bank.csv"))  # fmt: skip
    command(consortium, "postings", *payees, *month, "--out", str(folder / "postings.csv"))
    made = json.loads((folder / f"acc-b1-{month[1]}.json").read_text())
    told = (folder / f"acc-b1-{month[1]}.ndjson").read_text().splitlines()
    assert len(told) == len(made["lines"])
    lines = {line["kind"]: line for line in made["lines"]}
    assert lines["market-bought"]["wh"] > 0 > lines["market-bought"]["amount"]
    assert lines["shared-in"]["amount"] == -120 * lines["shared-in"]["wh"]
    assert "<td>market-bought</td>" in (folder / f"acc-b1-{month[1]}.html").read_text()
    posted = list(csv.DictReader((folder / "postings.csv").read_text().splitlines()))
    for kind, one in lines.items():
        mine = [row for row in posted if (row["account"], row["posting"]) == ("acc-b1", kind)]
        if kind != "fees":
            assert sum(round(float(row["kwh"]) * 1_000) for row in mine) == one["wh"], kind
            assert sum(round(float(row["amount"]) * 1e6) for row in mine) == one["amount"], kind
    assert {row["account"] for row in posted} == set(payees)
    command(consortium, "statement", "acc-a3", *month, "--tariff", str(folder / "tariff.json"),
            "--out", str(folder))  # fmt: skip
    origin = json.loads((folder / f"acc-a3-{month[1]}.json").read_text())["origin"]
    assert origin["came_wh"] >= origin["certified_wh"] > 0  # what came of a1, who has an account
    rows = [row.split(",") for row in (folder / "bank.csv").read_text().splitlines()[1:]]
    assert len(rows) == len(payees)
    assert {row[3] for row in rows} == {"pay", "collect"}


def command(consortium: Network, *words: str) -> None:
    """`ped-gateway` as the DSO."""
    profile = ("--profile", str(consortium.profile("DSO")))
    done = subprocess.run(
        [str(BIN / "ped-gateway"), *words, *profile], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def live(week: Week, days: range) -> None:
    """Day by day: tomorrow is traded before today's end, yesterday settled after its own."""
    await week.trade(days[0])
    for day in days:
        if day + 1 in days:
            await week.trade(day + 1)
        await week.certify(day)
        await week.show(day)
        await week.settle(day)


async def everything_is_counted_once(week: Week, days: range) -> None:
    """No position exceeds its register, nothing of energy or money is lost, deposits are back."""
    sold = bought = shared_in = shared_out = 0
    for day in days:
        for _, row in await week.hours(day):
            position = row["position"]
            assert position["sold"] + position["shared_out"] <= row["fed_in"]
            assert position["bought"] + position["shared_in"] <= row["drawn"]
            sold, bought = sold + position["sold"], bought + position["bought"]
            shared_in += position["shared_in"]
            shared_out += position["shared_out"]
    assert sold == bought > 0
    assert shared_in == shared_out > 0
    assert sum([await week.balance(each.account) for each in week.places]) == RICH * 6
    for each in week.places:
        about = await week.ask("tokens:GetAccount", each.account.name)
        assert (about["orders"], about["locked"]) == (0, 0)
