# SPDX-License-Identifier: Apache-2.0
"""Pages of what is a person's own: statements of demand response, and of sharing and trade."""

import re

import httpx2
import pytest

from pedchain_gateway.page import figures
from pedchain_gateway.people import trial
from pedchain_gateway.service.services import Services
from tests.unit.gateway.pages import DAY, fill, spaced

STATEMENT = "/page/districts/DistrictA/statements/{}/{}"
ACCOUNT = f"/page/accounts/acc-1?day={DAY}"


@pytest.fixture
def filled(services: Services, ledger: object) -> Services:
    fill(ledger)
    return services


def enter(http: httpx2.AsyncClient, known: Services, *roles: str, district: str) -> None:
    made = trial.token(known.config.state, "eve", roles, (district,), ("acc-1",))
    http.cookies.set("pedchain", made)


async def test_a_statement_of_an_order_is_words_and_a_plot(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    enter(http, filled, "district", district="DistrictA")
    answer = await http.get(STATEMENT.format("o2", "h01"))
    assert answer.status_code == 200
    text = spaced(answer.text)
    assert "Contributed: 722 Wh. Your part: 0.161929, credited to acc-h01." in text
    assert "less consumption" in text
    assert re.findall(r"<title>(\w+)</title>", answer.text)[-3:] == [
        "baseline", "measured", "ordered",
    ]  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script|\sstyle=|\son\w+=", answer.text)


async def test_a_statement_is_for_its_district_alone(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    address = STATEMENT.format("o2", "h01")
    assert (await http.get(address)).status_code == 401
    enter(http, filled, "prosumer", district="DistrictA")
    assert (await http.get(address)).status_code == 403
    enter(http, filled, "district", district="DistrictB")
    assert (await http.get(address)).status_code == 404


async def test_an_order_that_was_not_measured_has_no_statement(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    enter(http, filled, "district", district="DistrictA")
    answer = await http.get(STATEMENT.format("o1", "h01"))
    assert answer.status_code == 409
    assert answer.headers["content-type"].startswith("text/html")


async def test_sharing_is_told_by_the_hour_in_energy_and_money(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    enter(http, filled, "prosumer", district="DistrictA")
    text = (await http.get(ACCOUNT)).text
    rows = [
        re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", text)
    ]
    assert [row for row in rows if row] == [
        ["1.2 kWh", "not measured", *["0.0 kWh"] * 4, "", "", ""],
        [
            "2.0 kWh", "0.3 kWh", "0.5 kWh", "0.2 kWh", "0.9 kWh", "0.1 kWh",
            "0.012000", "0.108000", "",
        ],
        [
            "2.0 kWh", "0.0 kWh", "0.0 kWh", "0.0 kWh", "0.8 kWh", "0.0 kWh",
            "0.000000", "0.096000", "corrected by run FINAL",
        ],
    ]  # fmt: skip
    assert text.count('scope="col"') == 10


async def test_a_visitor_of_several_roles_sees_what_is_its_own_in_each(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    enter(http, filled, "district", "prosumer", "auditor", district="DistrictA")
    own = ("/page/ledger", "/page/flexibility", ACCOUNT, STATEMENT.format("o2", "h01"))
    for address in own:
        assert (await http.get(address)).status_code == 200, address
    assert (await http.get("/page/accounts/acc-2")).status_code == 404
    enter(http, filled, "auditor", "district", district="DistrictB")
    assert (await http.get("/page/ledger")).status_code == 200
    assert (await http.get(STATEMENT.format("o2", "h01"))).status_code == 404
    assert (await http.get(ACCOUNT)).status_code == 403


def test_an_hour_of_nothing_but_readings_has_no_money() -> None:
    found = figures.shared_hour({"hour": 0, "fed_in": 5, "drawn": 7, "position": None})
    assert found.money == ("", "")
    assert found.at == "1970-01-01 00:00 UTC"
