# SPDX-License-Identifier: Apache-2.0
"""Orders, reference prices, money, statements (rules K1 to K3, K11, K12)."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_domain import canonical, der
from pedchain_domain.market import money, orders, reference, statement, tokenid
from pedchain_domain.market.delivery import Prices
from pedchain_domain.market.statement import Entry
from pedchain_domain.market.tokenid import HOUR, Carrier, Product
from pedchain_domain.reasons import DomainError, Reason

K = 1_000
START = 1_774_825_200  # an hour of 2026-03-30
HEAT = Product(Carrier.HEAT, 2, START)
POWER = Product(Carrier.ELECTRICITY, 1, START)
NEXT = Product(Carrier.ELECTRICITY, 1, START + HOUR)


def spelt(*products: Product) -> list[str]:
    return [tokenid.to_hex(product.token) for product in products]


def body(**changes: Any) -> dict[str, Any]:
    whole = {
        "side": "OFFER",
        "tokens": spelt(HEAT, POWER, NEXT),
        "quantities": [100, 100, 200],
        "prices": [10 * K, 15 * K, 10 * K],
    }
    return whole | changes


def test_one_order_spans_carriers_zones_and_hours() -> None:
    order = orders.check(body())
    assert order.kind == orders.Kind.OFFER
    assert [line.product for line in order.lines] == [HEAT, POWER, NEXT]
    assert order.sessions == sorted(spelt(HEAT, POWER, NEXT))
    assert order.lines[0].session == spelt(HEAT)[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"side": "BOTH"}, Reason.MALFORMED_DOCUMENT),
        ({"side": None}, Reason.MALFORMED_DOCUMENT),
        ({"extra": 1}, Reason.MALFORMED_DOCUMENT),
        ({"tokens": "x"}, Reason.MALFORMED_DOCUMENT),
        ({"quantities": [100, 100]}, Reason.LENGTHS_DIFFER),
        ({"tokens": [], "quantities": [], "prices": []}, Reason.LENGTHS_DIFFER),
        ({"tokens": spelt(HEAT, HEAT, POWER)}, Reason.DUPLICATE_TOKEN),
        ({"tokens": [*spelt(HEAT, POWER), "00"]}, Reason.UNKNOWN_TOKEN),
        ({"tokens": [*spelt(HEAT, POWER), 7]}, Reason.UNKNOWN_TOKEN),
        ({"tokens": [*spelt(HEAT, POWER), tokenid.to_hex(tokenid.MONEY)]}, Reason.UNKNOWN_TOKEN),
        ({"tokens": spelt(HEAT, POWER, NEXT.minted_by(9))}, Reason.UNKNOWN_TOKEN),
        (
            {"tokens": spelt(HEAT, POWER, Product(Carrier.HEAT, 1, START, quarter=0))},
            Reason.UNKNOWN_TOKEN,
        ),
        ({"quantities": [100, 99, 100]}, Reason.BAD_QUANTITY),
        ({"quantities": [100, 0, 100]}, Reason.BAD_QUANTITY),
        ({"quantities": [100, -100, 100]}, Reason.BAD_QUANTITY),
        ({"quantities": [100, 10**9 + 1, 100]}, Reason.BAD_QUANTITY),
        ({"quantities": [100, True, 100]}, Reason.BAD_QUANTITY),
        ({"quantities": [100, "100", 100]}, Reason.BAD_QUANTITY),
        ({"prices": [1, K, K]}, Reason.BAD_PRICE),
        ({"prices": [-K, K, K]}, Reason.BAD_PRICE),
        ({"prices": [None, K, K]}, Reason.BAD_PRICE),
    ],
)
def test_a_bad_order_is_refused_with_its_reason(changes: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(DomainError) as caught:
        orders.check(body(**changes))
    assert caught.value.reason == reason


def test_an_order_has_at_most_48_lines() -> None:
    many = [Product(Carrier.HEAT, zone, START) for zone in range(1, 50)]
    whole = body(tokens=spelt(*many), quantities=[100] * 49, prices=[K] * 49)
    with pytest.raises(DomainError) as caught:
        orders.check(whole)
    assert caught.value.reason == Reason.TOO_MANY


def test_involved_markets_are_named_once_each() -> None:
    """Paper B's loop names a market twice and never ends its count."""
    tokens = spelt(POWER, HEAT, POWER.minted_by(3), POWER)
    assert orders.determine_involved_markets(tokens) == sorted(spelt(POWER, HEAT))
    with pytest.raises(DomainError):
        orders.determine_involved_markets([tokenid.to_hex(tokenid.MONEY)])


def test_deposits_are_by_side_and_a_limit_above_the_reference_is_refused() -> None:
    offer = orders.check(body())
    bid = orders.check(body(side="BID"))
    assert orders.deposits(bid, lambda _: 280 * K) == [1_000, 1_500, 2_000]
    assert orders.deposits(offer, lambda _: 280 * K) == [27_000, 26_500, 54_000]
    with pytest.raises(DomainError) as caught:
        orders.deposits(offer, lambda _: 14 * K)
    assert caught.value.reason == Reason.BAD_PRICE


def table(retail: int = 280, feed_in: int = 80, **changes: Any) -> dict[str, Any]:
    prices = {"retail": [retail * K] * 24, "feed_in": [feed_in * K] * 24}
    whole = {"schema": "reference/1", "carrier": "electricity", "start": START}
    return whole | {"classes": {"home": prices}} | changes


def test_a_reference_is_published_a_day_ahead_and_moves_by_a_fifth_at_most() -> None:
    found = reference.check(table(), None, START - 86_400)
    assert reference.quote(found, "home", START + 5 * HOUR) == (280 * K, 80 * K)
    reference.check(table(336, 96, start=START + 86_400), table(), START)
    reference.check(table(224, 64, start=START + 86_400), table(), START)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (table(337), Reason.PRICE_JUMP),
        (table(28_000), Reason.PRICE_JUMP),
        (table(280, 63), Reason.PRICE_JUMP),
        (table(223), Reason.PRICE_JUMP),
        (table(feed_in=281), Reason.BAD_PRICE),
        (table(start=START - 1), Reason.MALFORMED_DOCUMENT),
        (table(start=START - HOUR), Reason.TOO_LATE),
        (table(classes={}), Reason.MALFORMED_DOCUMENT),
        (table(classes={"home": {"retail": [1], "feed_in": [1]}}), Reason.MALFORMED_DOCUMENT),
        (table(classes={"home": {"retail": [K] * 24}}), Reason.MALFORMED_DOCUMENT),
        (
            table(classes={"home": {"retail": [K] * 24, "feed_in": [K] * 23}}),
            Reason.MALFORMED_DOCUMENT,
        ),
    ],
)
def test_a_reference_out_of_line_is_refused(changed: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(DomainError) as caught:
        reference.check(changed, table(), START - 86_400)
    assert caught.value.reason == reason


def test_where_a_day_has_no_table_the_one_before_stands_in_and_says_so() -> None:
    rising = [at * K for at in range(24)]
    found = table(classes={"home": {"retail": rising, "feed_in": rising}})
    later = START + 2 * 86_400 + 3 * HOUR
    assert reference.quote(found, "home", later) == (3 * K, 3 * K)
    assert reference.stands_in(found, later)
    assert not reference.stands_in(found, START + 23 * HOUR)
    for supplier, hour, reason in (
        ("home", START - HOUR, Reason.UNKNOWN_DAY),
        ("shop", START, Reason.MISSING_FACTOR),
    ):
        with pytest.raises(DomainError) as caught:
            reference.quote(found, supplier, hour)
        assert caught.value.reason == reason


def test_a_trade_settles_at_the_buyers_retail_and_the_sellers_feed_in() -> None:
    classes = {
        "home": {"retail": [280 * K] * 24, "feed_in": [80 * K] * 24},
        "shop": {"retail": [200 * K] * 24, "feed_in": [70 * K] * 24},
    }
    found = table(classes=classes)
    assert reference.prices(found, 120 * K, START, buyer="shop", seller="home") == Prices(
        120 * K,
        200 * K,
        80 * K,
    )
    assert reference.ceiling(found, START) == 280 * K


RECEIPT = {
    "schema": "receipt/1",
    "id": "r1",
    "account": "alice",
    "amount": 5_000_000,
    "network": "pedchain",
    "channel": "ped",
    "operator": "bank",
}


def test_money_needs_the_clearing_operators_signature() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    spki = der.spki_hex(key.public_key())
    good = key.sign(canonical.encode(RECEIPT), ec.ECDSA(SHA256())).hex()
    here = {"network": "pedchain", "channel": "ped"}
    money.check_receipt(RECEIPT, good, spki, **here)
    for receipt, signature, where, reason in (
        (RECEIPT | {"amount": 6_000_000}, good, here, Reason.BAD_SIGNATURE),
        (RECEIPT, "zz", here, Reason.MALFORMED_SIGNATURE),
        (RECEIPT, None, here, Reason.MALFORMED_SIGNATURE),
        (RECEIPT, good, here | {"channel": "x"}, Reason.WRONG_DOMAIN),
        (RECEIPT | {"amount": 0}, good, here, Reason.MALFORMED_DOCUMENT),
    ):
        with pytest.raises(DomainError) as caught:
            money.check_receipt(receipt, signature, spki, **where)
        assert caught.value.reason == reason


def test_the_bank_file_pays_what_it_collects() -> None:
    payees = {"a": "ref-a", "b": "ref-b"}
    assert money.bank_file("2026-03", {"b": -5_000_001, "a": 5_000_001}, payees) == (
        "month,account,reference,direction,amount\r\n"
        "2026-03,a,ref-a,pay,5.000001\r\n"
        "2026-03,b,ref-b,collect,5.000001\r\n"
    )
    assert money.bank_file("2026-03", {"b": -4, "a": 4}, payees, {"b": 10, "a": 0}) == (
        "month,account,reference,direction,amount\r\n"
        "2026-03,a,ref-a,pay,0.000004\r\n"
        "2026-03,b,ref-b,pay,0.000006\r\n"
    )
    for positions, reason in (
        ({"a": 1}, Reason.UNBALANCED),
        ({"a": 1, "c": -1}, Reason.MALFORMED_DOCUMENT),
    ):
        with pytest.raises(DomainError) as caught:
            money.bank_file("2026-03", positions, payees)
        assert caught.value.reason == reason


def test_a_members_hours_and_trades_become_lines() -> None:
    """250 Wh drawn in all: 100 bought, 60 shared after a correction; the supplier has the rest."""
    position = {"bought": 100, "sold": 0, "shared_in": 60, "shared_out": 0}
    hour = {"hour": 0, "fed_in": None, "drawn": 250, "position": position}
    hour |= {"shared": [80, 0, 9_600, 0], "corrected": [60, 0, 7_200, 0]}
    silent = {"hour": 3_600, "fed_in": 40, "drawn": None, "position": None}
    trades = [
        ["s", "me", 120, 100, 12_000, 500, 0, None, 120_000],
        ["me", "b", 50, 40, 4_800, 0, 300, None, 120_000],
        ["s", "b", 9, 9, 9, 9, 9, None, 9],
    ]
    entries = [*statement.of_hours([hour, silent]), *statement.of_trades("me", trades)]
    tariff = {"schema": "tariff/1", "version": "t1", "import": 90_000, "shared": 50_000}
    entries += statement.fees(entries, {**tariff, "bought": 80_000})
    found = statement.statement("me", "2026-03", entries, run="FINAL", rules={}, proof=[])
    lines = {line["kind"]: (line["wh"], line["amount"]) for line in found["lines"]}
    assert lines == {
        "grid-import": (90, 0),
        "own-generation": (40, 0),
        "shared-in": (60, -7_200),
        "shared-out": (0, 0),
        "market-bought": (100, -12_000),
        "market-sold": (40, 4_800),
        "made-good": (0, 800),
        "flexibility": (0, 0),
        "fees": (0, -(90 * 90 + 60 * 50 + 100 * 80)),
    }
    with pytest.raises(DomainError):
        statement.fees(entries, tariff)


def test_a_statement_adds_up_and_is_readable_by_a_spreadsheet() -> None:
    entries = [
        Entry(statement.Kind.MARKET_SOLD, 600, 72_000),
        Entry(statement.Kind.MADE_GOOD, 0, -64_000),
        Entry(statement.Kind.MARKET_SOLD, 400, 48_000),
        Entry(statement.Kind.GRID_IMPORT, 12_345, -3_456_600),
    ]
    found = statement.statement(
        "alice", "2026-03", entries, run="F", rules={"K": "1"}, proof=["ab" * 32]
    )
    assert [line["kind"] for line in found["lines"]] == [str(kind) for kind in statement.Kind]
    assert found["total"] == sum(line["amount"] for line in found["lines"]) == -3_400_600
    assert found["origin"] == {"given_wh": 0, "came_wh": 0, "certified_wh": 0}
    rows = statement.to_csv(found).split("\r\n")
    assert rows[0] == "line,kWh,amount"
    assert rows[-2:] == ["total,,-3.400600", ""]
    for row in ("grid-import,12.345,-3.456600", "market-sold,1.000,0.120000"):
        assert row in rows
    told = [json.loads(line) for line in statement.to_ndjson(found).splitlines()]
    about = {"member": "alice", "month": "2026-03"}
    assert told == [{**about, **line} for line in found["lines"]]
    for form in (statement.to_csv, statement.to_ndjson):
        with pytest.raises(DomainError):
            form({})


def test_a_statement_is_a_page_without_script_whatever_names_are_in_it() -> None:
    entries = [Entry(statement.Kind.SHARED_IN, 250, -30_000)]
    origin = {"given_wh": 0, "came_wh": 250, "certified_wh": 200}
    about: Any = {"run": "F", "rules": {"S": "1"}, "proof": ['"ab'], "origin": origin}
    found = statement.statement("<script>&", "2026-03", entries, **about)
    page = statement.to_html(found)
    assert "<script" not in page
    assert "&lt;script&gt;&amp;, 2026-03, run F" in page
    assert "<td>shared-in</td><td>0.250</td><td>-0.030000</td>" in page
    assert "Came with its origin: 0.250 kWh, of it certified: 0.200 kWh." in page
    hidden = {**found, "origin": {**origin, "certified_wh": None}}
    assert "how much of it is certified cannot be read here" in statement.to_html(hidden)
    assert "<code>&quot;ab</code>" in page
    with pytest.raises(DomainError):
        statement.to_html({})
