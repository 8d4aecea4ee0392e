# SPDX-License-Identifier: Apache-2.0
"""36 months of an operator's files end the first day with a verdict, by one command.

PEDCHAIN_SOAK_DAYS (1,096) shortens it. Homes that draw less than they feed in: positive from the
first full window on.
"""

import asyncio
import csv
import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pedchain_demo.commands import run
from tests import evidence
from tests.scenarios.harness import network as make_network
from tests.scenarios.test_import import B, listed

pytestmark = [pytest.mark.serial, pytest.mark.timeout(7_200)]
HOMES, WINDOW = 3, 365
STYLE = """
interval_s = 3600
unit = "Wh"
[columns]
point = "point"
time = "time"
[values]
drawn = "1-0:1.8.0*255"
given = "1-0:2.8.0*255"
"""


def write(folder: Path, first: date, days: int) -> None:
    """A folder as in docs/quickstart.md, by the hour."""
    folder.mkdir()
    begins = first - timedelta(days=1)
    last = first + timedelta(days=days - 1)
    factors = ", ".join(f"{year} = 250" for year in range(first.year, last.year + 1))
    (folder / "district.toml").write_text(
        f'id = "{B}"\noperator = "{B}MSP"\ntimezone = "UTC"\nfirst = {first}\nlast = {last}\n'
        'grain = 3600\nboundary = { kind = "feeder", id = "f7" }\n'
        "parameters = { group_sites = 1, group_share_percent = 100 }\n"
        '[factors]\nversion = "t"\nsource = "a test"\n'
        f"grid_g_per_kwh = {{ {factors} }}\n"
    )
    with (folder / "sites.csv").open("w") as sites, (folder / "points.csv").open("w") as points:
        sites.write("id,plan,connection_w,feeder,substation,zone,heating,vehicles,from\n")
        points.write("id,site,kind,parent,p_max_w\n")
        for home in range(HOMES):
            sites.write(f"s{home},P1,6000,f7,ss,z,none,none,{begins}\n")
            points.write(f"g{home},s{home},GCP,,6000\nr{home},s{home},GEN,g{home},6000\n")
    (folder / "north.toml").write_text(STYLE)
    start = int(datetime.combine(first, datetime.min.time(), UTC).timestamp())
    with (folder / "north.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["point", "time", "drawn", "given"])
        for hour in range(days * 24):
            at = datetime.fromtimestamp(start + hour * 3_600, UTC).isoformat()
            for home in range(HOMES):
                table.writerow([f"g{home}", at, 200 + hour % 5, 300 + hour % 7])
                table.writerow([f"r{home}", at, "", 500])


@pytest.mark.parametrize("runtime", ["embedded", "native"])
def test_three_years_of_files_end_with_a_verdict(tmp_path: Path, runtime: str) -> None:
    if runtime == "native" and not evidence.fabric_found():
        pytest.skip("Fabric's peer and orderer were not found")
    days = int(os.environ.get("PEDCHAIN_SOAK_DAYS", "1096"))
    first = datetime.now(UTC).date() - timedelta(days=days)
    write(tmp_path / "mine", first, days)
    with make_network(runtime, tmp_path) as network:
        network.run("up")
        profile, began = network.profile("DSO"), time.monotonic()
        out = run(
            "ped-gateway", "quickstart", str(tmp_path / "mine"), "--state", str(tmp_path / "state"),
            "--profile", str(profile),
        )  # fmt: skip
        took = time.monotonic() - began
        found = asyncio.run(listed(profile, B))
    summary = json.loads(out.splitlines()[-1])
    print(f"{days} days, {summary['readings']} readings in {took:.0f} s")  # noqa: T201 - a figure
    assert len(found) == days
    assert summary["refused"] == 0
    assert all(one["classes"]["X"] == 0 for one in found)
    assert found[-1]["window"]["days"] == min(days, WINDOW)
    for at, one in enumerate(found, start=1):
        verdict = one["verdict"]["verdict"]
        assert verdict == ("positive" if at >= WINDOW else "insufficient_history"), one["day"]
