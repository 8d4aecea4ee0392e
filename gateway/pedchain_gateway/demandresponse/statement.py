# SPDX-License-Identifier: Apache-2.0
"""A site's statement of an order for people: text, and a plot of baseline, measured and ordered."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pedchain_domain.flexibility.rebound import BESIDE_S
from pedchain_gateway.market.orderlines import money
from pedchain_gateway.plot import HEIGHT, MARGIN, WIDTH, curve, framed, words

Document = dict[str, Any]
_COLOURS = {"baseline": "#6b7280", "measured": "#1d4ed8", "ordered": "#b45309"}
_KEPT = {
    "notice-too-early": "the notice came more than six hours ahead",
    "window-before-midnight": "the hours before the notice lie in another day",
    "window-not-measured-before-notice": "the hours before were not on the ledger at the notice",
    "little-load": "hardly anything was used in the hours before",
    "load-after-notice": "the load rose after the notice",
    "rule-without-adjustment": "the rule adjusts nothing",
}
_FLAGS = {
    "load-after-notice": "more was drawn between notice and start than on other days",
    "generation-off": "the generation stood still while neighbours' ran: not paid",
    "too-few-days": "too few of the days were measured: not paid",
}


def text(order: Document, statement: Document) -> str:
    """The statement, line by line."""
    body = order["order"]
    less = "less" if body["direction"] == "down" else "more"
    end = body["start"] + body["count"] * body["grain"]
    lines = [
        f"Order {body['id']}: {less} consumption, {_at(body['start'])} to {_at(end)}",
        f"Asked of {statement['site']}: {statement['power_w']} W, "
        f"{statement['dispatched']} Wh in all",
        "",
        f"{'from':>17} {'baseline':>9} {'measured':>9} {'ordered':>9}  Wh",
        *_rows(body, statement),
        "",
        f"Contributed: {statement['contributed']} Wh. Your part: {money(statement['money'])}, "
        f"credited to {statement['account']}.",
        f"Baseline: rule {body['rule']}, {_source(body, statement)}",
        _level(statement),
        *_sold(statement),
        *(f"Note: {_FLAGS[flag]}." for flag in statement["flags"]),
        f"In the two hours after: {statement['rebound'][0]:+d} Wh against the baseline (not paid).",
        *_before(body, statement),
        *_missing(statement),
        *_corrected(statement),
    ]
    return "\n".join(lines) + "\n"


def _rows(body: Document, statement: Document) -> list[str]:
    found = []
    for at, (base, wh) in enumerate(zip(statement["baseline"], statement["measured"], strict=True)):
        when = _at(body["start"] + at * body["grain"])
        found.append(f"{when:>17} {base:>9} {wh:>9} {_ordered(body, statement, base):>9}")
    return found


def _ordered(body: Document, statement: Document, base: int) -> int:
    """What the interval was to be."""
    asked: int = statement["dispatched"] // body["count"]
    return base - asked if body["direction"] == "down" else base + asked


def _source(body: Document, statement: Document) -> str:
    """What the baseline is made of."""
    if body["rule"] == "declared":
        return "the schedule this home declared before the notice"
    if body["rule"] == "mbma":
        return "the hours before and after the event, whichever pays less"
    return f"mean of {len(statement['days'])} days: " + ", ".join(statement["days"])


def _sold(statement: Document) -> list[str]:
    if not statement["sold"]:
        return []
    return [f"Sold to others in these hours: {statement['sold']} Wh, left out of the baseline."]


def _corrected(statement: Document) -> list[str]:
    """What run FINAL put right; it supersedes the lines above."""
    found = statement.get("corrected")
    if found is None:
        return []
    same = all(found[name] == statement[name] for name in ("baseline", "measured"))
    if same and not found["added"]:
        return ["Run FINAL changed nothing."]
    measured = ", ".join(str(wh) for wh in found["measured"])
    return [
        f"Superseded by run FINAL: measured {measured} Wh, contributed {found['contributed']} Wh; "
        f"{money(found['added'])} is added to your part, nothing is taken from it."
    ]


def _level(statement: Document) -> str:
    if statement["kept"] is not None:
        return f"Not adjusted to the day: {_KEPT[statement['kept']]}."
    if statement["difference"]:
        return f"Adjusted to the day: {statement['difference']:+d} Wh per interval."
    return f"Adjusted to the day: times {statement['ratio'] / 1_000_000:.3f}."


def _before(body: Document, statement: Document) -> list[str]:
    """What was drawn in advance, as far as it was measured (rules D14)."""
    shown, first = statement["shown"], statement["shown"]["event"]
    ahead = slice(max(0, first - BESIDE_S // body["grain"]), first)
    pairs = zip(shown["measured"][ahead], shown["baseline"][ahead], strict=True)
    known = [wh - base for wh, base in pairs if wh is not None]
    return [f"In the two hours before: {sum(known):+d} Wh (not paid)."] if known else []


def _missing(statement: Document) -> list[str]:
    count = statement["letters"].count("X")
    if not count:
        return []
    return [f"Not measured: {count} intervals, taken at the highest (or lowest) of those days."]


def _at(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%MZ")


def svg(order: Document, statement: Document) -> str:
    """The hours around the event as steps: baseline, measured, and in the event what was asked."""
    body, shown = order["order"], statement["shown"]
    base: Sequence[int] = shown["baseline"]
    measured: Sequence[int | None] = shown["measured"]
    first: int = shown["event"]
    event = range(first, first + body["count"])
    asked = [
        _ordered(body, statement, base[at]) if at in event else None for at in range(len(base))
    ]
    known = [wh for wh in (*base, *measured, *asked) if wh is not None]
    low, high = min(0, *known), max(1, *known)
    columns = {"baseline": base, "measured": measured, "ordered": asked}
    left, right = (_x(at, len(base)) for at in (first, first + body["count"]))
    shade = (
        f'<rect x="{left}" y="{MARGIN}" width="{right - left}" height="{HEIGHT - 2 * MARGIN}" '
        f'fill="#fef3c7"/>'
    )
    curves = [
        curve(_path(values, low, high), _COLOURS[name], name) for name, values in columns.items()
    ]
    names = [
        words(MARGIN + 100 * at, HEIGHT - 8, name, _COLOURS[name])
        for at, name in enumerate(columns)
    ]
    scale = words(MARGIN, MARGIN - 10, f"Wh per {body['grain'] // 60} minutes, up to {high}")
    begin = words(left, HEIGHT - MARGIN + 20, _at(body["start"]))
    return framed([shade, *curves, scale, begin, *names])


def _path(values: Sequence[int | None], low: int, high: int) -> str:
    parts, is_drawn = [], False
    for at, wh in enumerate(values):
        if wh is None:
            is_drawn = False
            continue
        y = HEIGHT - MARGIN - (wh - low) * (HEIGHT - 2 * MARGIN) // (high - low)
        parts.append(f"{'L' if is_drawn else 'M'}{_x(at, len(values))} {y}")
        parts.append(f"H{_x(at + 1, len(values))}")
        is_drawn = True
    return "".join(parts)


def _x(at: int, count: int) -> int:
    return MARGIN + at * (WIDTH - 2 * MARGIN) // count
