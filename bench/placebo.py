# SPDX-License-Identifier: Apache-2.0
"""What would be paid if nobody did anything: placebo events over the demo's homes.

Half a year of the demo's 48 homes by the hour (17 of them measured). On every working day after the
first two months an order of two hours at noon and one in the evening asks a fifth of the
portfolio's baseline, three hours ahead; nobody acts. Told is the share of the order's energy that
would be paid by portfolio (as the contracts do), and, as a warning, home by home.
"""

from itertools import pairwise
from typing import Any

from pedchain_domain.calendar import Day
from pedchain_domain.flexibility import figure, history
from pedchain_domain.flexibility.baseline import RULES
from pedchain_domain.flexibility.basis import Asked
from pedchain_domain.flexibility.likedays import Past
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.flexibility.statement import statement
from pedchain_domain.instants import DAY, format_day
from pedchain_domain.numbers import split
from pedchain_domain.sim import street

HOUR, DAYS, FIRST = 3_600, 182, 60
END = (20_454 // 7 * 7 + 4) * DAY  # a midnight of early 2026 after which a Monday begins
STARTS, COUNT, NOTICE = (12, 18), 2, 3 * HOUR
RULE, FIFTH = "10of10", 5


def homes() -> dict[str, list[int]]:
    """F of every home by the hour, Wh, from its meters: what it consumed and stored."""
    start = END - DAYS * DAY
    all_ = (*street.measured_homes(start, END), *street.generated_homes(start, END))
    return {one.id: flexible(one) for one in all_}


def flexible(home: street.Home) -> list[int]:
    """I - E + G by the hour."""
    found = [0] * (DAYS * 24)
    for meter in home.meters:
        for obis, role in meter.roles.items():
            sign = figure.SIGNS.get((meter.kind, role))
            if sign is None:
                continue
            values = [registers[obis] for _, registers in meter.readings]
            for at, (before, after) in enumerate(pairwise(values)):
                found[at] += sign * (after - before)
    return found


def row(number: int) -> Day:
    """A day of the half year, by its number."""
    start = END - (DAYS - number) * DAY
    weekday = (start // DAY + 3) % 7
    kind = "working" if weekday < 5 else "saturday" if weekday == 5 else "sunday_or_holiday"
    return {"day": format_day(start // DAY), "start": start, "end": start + DAY, "type": kind}


def site(values: list[int], number: int) -> dict[str, Any]:
    """A home's shared day."""
    today = values[number * 24 : number * 24 + 24]
    return {"f": today, "c": "M" * 24, "g": [], "gw": 0, "p": [[0, 24]]}


def event(found: dict[str, list[int]], number: int, hour: int) -> dict[str, list[tuple[int, int]]]:
    """Baseline and measured Wh of each home, as an order would have had them."""
    day = row(number)
    start = day["start"] + hour * HOUR
    order = {"start": start, "count": COUNT, "grain": HOUR}
    framed = history.frame(order, start - NOTICE, day)
    asked = Asked(Direction.DOWN, RULES[RULE], framed, 1)
    made = {}
    for name, values in found.items():
        days = [past(values, back) for back in range(number - 45, number)]
        chosen = history.chosen(asked.rule, framed, day["day"], "", days)
        told = statement(asked, site(values, number), chosen, 0, {})
        made[name] = list(zip(told["baseline"], told["measured"], strict=True))
    return made


def past(values: list[int], number: int) -> Past:
    """A home's day before the event."""
    return history.past(row(number), site(values, number), range(24), HOUR, ordered=False)


def measure() -> dict[str, Any]:
    found = homes()
    ordered = portfolio = single = 0
    events = 0
    for number in range(FIRST, DAYS):
        if row(number)["type"] != "working":
            continue
        for hour in STARTS:
            made = event(found, number, hour)
            events += 1
            for at in range(COUNT):
                base = {name: max(0, pairs[at][0]) for name, pairs in made.items()}
                wanted = sum(base.values()) // FIFTH
                parts, _ = split(wanted, base)
                moved = {name: pairs[at][0] - pairs[at][1] for name, pairs in made.items()}
                ordered += wanted
                portfolio += min(max(sum(moved.values()), 0), wanted)
                single += sum(min(max(moved[name], 0), parts[name]) for name in made)
    return {
        "homes": len(found),
        "events": events,
        "paid_share_by_portfolio": round(portfolio / ordered, 3),
        "paid_share_home_by_home": round(single / ordered, 3),
    }
