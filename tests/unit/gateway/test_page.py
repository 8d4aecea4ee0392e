# SPDX-License-Identifier: Apache-2.0
"""Pages: what is public for anyone, all else for whom the token allows it; without a script."""

import itertools
import re
from html.parser import HTMLParser

import httpx2
import pytest

from pedchain_gateway.ledger.port import Unavailable
from pedchain_gateway.page import figures
from pedchain_gateway.people import access, trial
from pedchain_gateway.service.services import Services
from tests.unit.gateway.pages import DAY, HOUR, fill, session, spaced

PUBLIC = (
    "/page",
    "/page/districts/DistrictA?until=2026-11-22",
    f"/page/districts/DistrictA/certificates/{DAY}",
    f"/page/market?day={DAY}",
    f"/page/market/{session(HOUR + 12 * 3_600, published=True)['id']}",
    "/page/health",
    "/page/enter",
)
AUDITORS = (
    "/page/ledger",
    "/page/ledger?before=30",
    "/page/ledger/blocks/47",
    "/page/ledger/keys/metering-DistrictA?key=certificate&key=2026-11-20",
    "/page/flexibility",
    "/page/flexibility/o1",
)


class Outline(HTMLParser):
    """What matters of a page to who does not see it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [about for tag, about in self.tags if tag == name]


@pytest.fixture
def filled(services: Services, ledger: object) -> Services:
    fill(ledger)
    return services


def token(known: Services, *roles: str, accounts: tuple[str, ...] = ()) -> str:
    return trial.token(known.config.state, "eve", roles, ("DistrictA",), accounts)


def entered(http: httpx2.AsyncClient, found: str) -> None:
    http.cookies.set("pedchain", found)


@pytest.mark.parametrize("address", PUBLIC)
async def test_a_page_needs_no_script_and_nothing_from_elsewhere(
    http: httpx2.AsyncClient, filled: Services, address: str
) -> None:
    answer = await http.get(address)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "unsafe" not in policy
    assert not re.search(r"<script|\sstyle=|\son\w+=|https?://(?!www\.w3\.org)", answer.text)


@pytest.mark.parametrize("address", PUBLIC)
async def test_a_page_can_be_read_without_being_seen(
    http: httpx2.AsyncClient, filled: Services, address: str
) -> None:
    """One heading of the first order, a language, named plots, tables with headers, labels."""
    outline = Outline((await http.get(address)).text)
    assert [about["lang"] for about in outline.of("html")] == ["en"]
    assert len(outline.of("h1")) == len(outline.of("main")) == 1
    assert outline.of("a")[0]["href"] == "#main"
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for plot in outline.of("svg"):
        assert plot.get("aria-label") or "xmlns" in plot
    assert len(outline.of("caption")) == len(outline.of("table"))
    assert all(about.get("scope") for about in outline.of("th"))
    fields = [one for one in outline.of("input") if one.get("type") != "hidden"]
    assert len(outline.of("label")) >= len(fields)


async def test_a_district_shows_rolling_positivity_with_its_scope(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    answer = await http.get("/page/districts/DistrictA?until=2026-11-22")
    text = spaced(answer.text)
    assert "No verdict yet</strong> (insufficient history): 2 of 365 days" in text
    assert "heating metered:" in text
    assert "Surplus of the window that ends with each day" in text
    assert text.count('class="up"') == 2
    assert "Today so far is not shown" in text
    assert "electricity, generation" in text
    assert "135.6 km" in text  # metres are no energy


async def test_a_certificate_shows_where_it_stands_and_how_to_check_it(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    text = spaced((await http.get(f"/page/districts/DistrictA/certificates/{DAY}")).text)
    assert "102e732789041691cccb1fde46309b1f49546ed66b0ad5e7649564edf6eb920c" in text
    assert "block 47" in text
    assert "DistrictAMSP, DSOMSP" in text
    assert f"ped-audit certificate LEDGER DistrictA {DAY}" in text


async def test_what_may_not_be_published_is_said_to_be_so(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    """A session of few accounts has no price, volume or curve; the page adds none (rules C2)."""
    few = session(HOUR + 11 * 3_600, published=False)["id"]
    text = spaced((await http.get(f"/page/market/{few}")).text)
    assert text.count("not published") == 2
    assert "No curve is published" in text
    many = session(HOUR + 12 * 3_600, published=True)["id"]
    text = spaced((await http.get(f"/page/market/{many}")).text)
    assert "0.1500 per kWh" in text
    assert "<svg" in text


@pytest.mark.parametrize("address", AUDITORS)
async def test_the_ledger_is_for_auditors(
    http: httpx2.AsyncClient, filled: Services, address: str
) -> None:
    assert (await http.get(address)).status_code == 401
    entered(http, "no token at all")
    assert (await http.get(address)).status_code == 401
    entered(http, token(filled, "prosumer"))
    assert (await http.get(address)).status_code == 403
    entered(http, token(filled, "auditor"))
    answer = await http.get(address)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


async def test_the_explorer_shows_blocks_transactions_keys_and_endorsers(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    entered(http, token(filled, "auditor"))
    block = (await http.get("/page/ledger/blocks/47")).text
    [address] = re.findall(r'href="(/page/ledger/transactions/[0-9a-f]{64})"', block)
    text = spaced((await http.get(address)).text)
    assert "<dt>Endorsed by</dt>" in text
    assert "DSOMSP" in text
    history = re.search(r'href="(/page/ledger/keys/[^"]*key=certificate[^"]*)"', text)
    assert history is not None
    text = spaced((await http.get(history[1].replace("&amp;", "&"))).text)
    assert "History of certificate 2026-11-20" in text
    assert "Block 47" in text


async def test_an_account_is_shown_to_its_owner_alone(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    entered(http, token(filled, "prosumer", accounts=("acc-2",)))
    assert (await http.get(f"/page/accounts/acc-1?day={DAY}")).status_code == 404
    entered(http, token(filled, "prosumer", accounts=("acc-1",)))
    answer = await http.get(f"/page/accounts/acc-1?day={DAY}")
    assert answer.status_code == 200
    assert "1.2 kWh" in answer.text


async def test_a_token_is_kept_where_no_script_and_no_other_site_has_it(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    found = token(filled, "auditor")
    answer = await http.post("/page/enter", data={"token": found})
    assert (answer.status_code, answer.headers["location"]) == (303, "/page")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/page" in cookie
    answer = await http.post("/page/enter", data={"token": "forged"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    answer = await http.post("/page/enter", data={"token": ""})
    assert 'pedchain=""' in answer.headers["set-cookie"]
    assert (await http.post("/page/enter", content=b"x" * 20_000)).status_code == 400


async def test_problems_are_pages_too(
    http: httpx2.AsyncClient, filled: Services, ledger: object
) -> None:
    for address, status in (
        ("/page/districts/Nowhere", 404),
        ("/page/districts/DistrictA/certificates/1999-01-01", 404),
        ("/page/market?zone=-1", 400),
    ):
        answer = await http.get(address)
        assert answer.status_code == status, address
        assert answer.headers["content-type"].startswith("text/html")
    ledger.unavailable = Unavailable("gone")  # type: ignore[attr-defined]  # the fake one's
    assert (await http.get("/page")).status_code == 503
    answer = await http.get("/page/health")
    assert answer.status_code == 503
    assert "Failing" in answer.text


async def test_what_a_ledger_says_is_text_never_markup(
    http: httpx2.AsyncClient, filled: Services
) -> None:
    address = "/page/ledger/keys/registry?key=<script>alert(1)</script>"
    entered(http, token(filled, "auditor"))
    answer = await http.get(address)
    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_every_page_has_its_row_in_the_access_table() -> None:
    from pedchain_gateway.page.routes import router

    rows = {(method, one.path) for one in router.routes for method in one.methods}  # type: ignore[attr-defined]  # all are routes
    assert rows <= {*access.TABLE}


def test_bars_stand_above_and_below_nought() -> None:
    chart = figures.chart([("a", 2_000), ("b", None), ("c", -1_000)])
    up, down = chart.bars
    assert (up.below, down.below) == (False, True)
    assert up.y + up.height == pytest.approx(chart.zero) == pytest.approx(down.y)
    assert chart.rows[1] == ("b", "not published")
