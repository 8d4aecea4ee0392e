# SPDX-License-Identifier: Apache-2.0
"""What a district is expected to have to spare, hour by hour: for devices that can wait.

Made of published certificates alone, so that rules C2 hold by themselves: a day whose group is too
small printed no number, and is left out. Whole days are all that is read; how they fall on hours is
a rule anyone can repeat: what left the district by half a sine from 06 to 18 UTC, what it drew
evenly. `hours_ppm` is the share of spare energy in what is spare and what is drawn, by hour.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from pedchain_gateway.service.certificates import Day, District, ask
from pedchain_gateway.service.models import problem
from pedchain_gateway.service.problems import Problem, ProblemError
from pedchain_gateway.service.services import services

router = APIRouter(prefix="/v1/districts/{district}", tags=["public"])
LOOKED_BACK_DAYS, MEAN_OF_DAYS = 14, 3
FIRST_HOUR, DAYLIGHT_HOURS = 6, 12
PPM = 1_000_000


class Surplus(BaseModel):
    """A day's expectation, and the published days it is the mean of; `sites` the fewest of them."""

    district: str
    day: str
    of_days: list[str]
    sites: int
    surplus_wh: int
    drawn_wh: int
    hours_ppm: list[int]


@router.get(
    "/surplus/{day}",
    responses={
        404: problem("No day of the two weeks before has printed what it takes"),
        503: problem("The ledger cannot be reached"),
    },
)
async def get_surplus(request: Request, district: District, day: Day) -> Surplus:
    """What the district is expected to have to spare on a day, by hour (UTC): the mean of its last
    three published days, of the two weeks before. It holds nothing that certificates do not."""
    try:
        wanted = date.fromisoformat(day)
        first = wanted - timedelta(days=LOOKED_BACK_DAYS)
    except (ValueError, OverflowError) as error:
        raise ProblemError(Problem.NOT_FOUND) from error
    page = await ask(services(request), district, "ListCertificates", first.isoformat(), "")
    found = expected(page["certificates"], district, day)
    if found is None:
        raise ProblemError(Problem.NOT_FOUND, reason="group-too-small")
    return found


def expected(certificates: Sequence[Mapping[str, Any]], district: str, day: str) -> Surplus | None:
    """The expectation of a day from certificates of days before it; None where none printed it."""
    told = [one for one in certificates if one["day"] < day and _printed(one)]
    last = sorted(told, key=lambda one: str(one["day"]))[-MEAN_OF_DAYS:]
    if not last:
        return None
    spare = sum(one["electricity"]["given_wh"] for one in last) // len(last)
    drawn = sum(one["electricity"]["drawn_wh"] for one in last) // len(last)
    return Surplus(
        district=district,
        day=day,
        of_days=[str(one["day"]) for one in last],
        sites=min(one["sites"] for one in last),
        surplus_wh=spare,
        drawn_wh=drawn,
        hours_ppm=hours(spare, drawn),
    )


def hours(spare_wh: int, drawn_wh: int) -> list[int]:
    """The share of spare energy in each hour of a day (UTC), ppm."""
    weights = [_daylight(hour) for hour in range(24)]
    told = []
    for weight in weights:
        spare = spare_wh * weight // sum(weights)
        both = spare + drawn_wh // 24
        told.append(spare * PPM // both if both else 0)
    return told


def _printed(certificate: Mapping[str, Any]) -> bool:
    electricity = certificate.get("electricity", {})
    return all(isinstance(electricity.get(name), int) for name in ("given_wh", "drawn_wh"))


def _daylight(hour: int) -> int:
    """The sun's weight in an hour."""
    since = hour - FIRST_HOUR + 0.5
    if not 0 < since < DAYLIGHT_HOURS:
        return 0
    return round(PPM * math.sin(math.pi * since / DAYLIGHT_HOURS))
