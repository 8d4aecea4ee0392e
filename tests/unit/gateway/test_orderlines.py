# SPDX-License-Identifier: Apache-2.0
"""Orders as people write them, on the command line and in CSV files; curves as they are drawn."""

from typing import Any

import pytest

from pedchain_domain.market.orders import LINES, Kind, check
from pedchain_domain.market.tokenid import Carrier
from pedchain_gateway.market import curveplot, orderlines
from pedchain_gateway.market.orderlines import OrderError

NOON = "2026-03-29T12:00Z"
HEAD = ",".join(orderlines.COLUMNS)


def test_a_line_names_product_quantity_and_limit() -> None:
    found = orderlines.line(f"electricity:7:{NOON}:500:0.15")
    assert (found.product.carrier, found.product.zone) == (Carrier.ELECTRICITY, 7)
    assert found.product.name == "electricity 2026-03-29 12:00Z zone 7"
    assert (found.wh, found.price) == (500, 150_000)


def test_an_order_s_body_is_one_the_market_takes() -> None:
    body = orderlines.body(Kind.BID, [orderlines.line(f"heat:2:{NOON}:100:0.004")])
    assert [line.limit for line in check(body).lines] == [4_000]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"electricity:7:{NOON}:500", "not CARRIER:ZONE:HOUR:WH:PRICE"),
        (f"gas:7:{NOON}:500:0.15", "no carrier"),
        (f"electricity:0:{NOON}:500:0.15", "there cannot be"),
        (f"electricity:x:{NOON}:500:0.15", "whole numbers"),
        (f"electricity:7:{NOON}:-5:0.15", "whole numbers"),
        (f"electricity:7:{NOON}:500:0.1501", "at most 3 decimals"),
        (f"electricity:7:{NOON}:500:1e3", "at most 3 decimals"),
        ("electricity:7:2026-02-30T12:00Z:500:0.15", "no day there is"),
        ("electricity:7:2026-03-29T24:00Z:500:0.15", "no UTC hour"),
        ("electricity:7:2026-03-29T12:30Z:500:0.15", "no UTC hour"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, why: str) -> None:
    with pytest.raises(OrderError, match=why):
        orderlines.line(text)


def test_a_file_is_orders_by_side() -> None:
    rows = [
        f"BID,electricity,1,{NOON},500,0.2",
        f"OFFER,heat,2,{NOON},300,0.1",
        "bid,electricity,1,2026-03-29T13:00Z,400,0.2",
    ]
    found = list(orderlines.orders(orderlines.rows([HEAD, *rows])))
    assert [(side, len(lines)) for side, lines in found] == [(Kind.BID, 2), (Kind.OFFER, 1)]


def test_a_product_stands_in_an_order_once_and_an_order_holds_so_many_lines() -> None:
    row = f"BID,electricity,1,{NOON},500,0.2"
    found = list(orderlines.orders(orderlines.rows([HEAD, row, row])))
    assert [len(lines) for _, lines in found] == [1, 1]
    many = [f"BID,electricity,{zone},{NOON},500,0.2" for zone in range(1, LINES + 3)]
    found = list(orderlines.orders(orderlines.rows([HEAD, *many])))
    assert [len(lines) for _, lines in found] == [LINES, 2]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["side,wh", "BID,5"], "first line must be"),
        ([HEAD, "BID,electricity,1"], "line 2: 6 columns"),
        ([HEAD, f"BID,electricity,1,{NOON},500,0.2,9"], "line 2: 6 columns"),
        ([HEAD, f"BID,electricity,1,{NOON},500,0.2", f"BUY,heat,1,{NOON},5,1"], "line 3"),
        ([HEAD, f"BID,electricity,1,{NOON},five,0.2"], "line 2: zone"),
    ],
)
def test_a_file_s_mistake_is_named_with_its_line(lines: list[str], why: str) -> None:
    with pytest.raises(OrderError, match=why):
        orderlines.rows(lines)


def session(**changes: Any) -> dict[str, Any]:
    curves = {"ask": [[100_000, 300], [200_000, 500]], "bid": [[250_000, 400], [150_000, 400]]}
    return {"price": 150_000, "curves": curves, **changes}


def test_a_curve_is_drawn_from_its_steps() -> None:
    drawn = curveplot.svg(session())
    assert drawn.startswith("<svg ")
    assert "offers" in drawn
    assert "bids" in drawn
    assert ">0.150<" in drawn
    assert "800 Wh" in drawn
    steps = drawn.partition('stroke="#b45309"')[0].rpartition('d="')[2]
    assert steps.count("H") == 2


@pytest.mark.parametrize("curves", [None, {"ask": [], "bid": []}])
def test_without_a_published_curve_nothing_is_drawn(curves: Any) -> None:
    with pytest.raises(ValueError, match="no curve is published"):
        curveplot.svg(session(curves=curves))
