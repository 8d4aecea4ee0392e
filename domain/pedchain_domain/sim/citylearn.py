# SPDX-License-Identifier: Apache-2.0
"""The homes of the CityLearn Challenge 2022: measured load and generation, hour by hour.

Where the data comes from, under which licence, and which series look faulty: data/README.md. The
recorded year is laid so that it ends with a given midnight and weekdays stay weekdays: it is
shifted by whole weeks, and repeats after 52 of them.
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

HOUR = 3600
HOURS_PER_WEEK = 7 * 24
#: The year repeats after 52 weeks, so that weekdays stay weekdays.
PERIOD_HOURS = 52 * HOURS_PER_WEEK
#: Index of the first hour of a Monday: the record begins with the last hour of a Sunday.
FIRST_MONDAY = 1
#: 1970-01-05, a Monday, in hours since the epoch.
MONDAY_EPOCH_HOURS = 4 * 24


@dataclass(frozen=True, slots=True)
class RecordedHome:
    """One home: hourly energy in Wh, photovoltaic power in W."""

    building: int
    pv_w: int
    load_wh: Sequence[int]
    generation_wh: Sequence[int]


@dataclass(frozen=True, slots=True)
class Extract:
    """All homes, and what they share: µg CO2 per Wh and µcur per kWh by hour."""

    homes: tuple[RecordedHome, ...]
    carbon_ug_per_wh: Sequence[int]
    price_ucur_per_kwh: Sequence[int]


@cache
def extract() -> Extract:
    """The extract, read once."""
    packed = resources.files(__package__).joinpath("data/citylearn2022.json.gz").read_bytes()
    found = json.loads(gzip.decompress(packed))
    homes = (
        RecordedHome(one["building"], one["pv_w"], one["load_wh"], one["generation_wh"])
        for one in found["homes"]
    )
    return Extract(tuple(homes), found["carbon_ug_per_wh"], found["price_ucur_per_kwh"])


def index_at(hour_start: int, end: int) -> int:
    """Where in the recorded year the hour beginning at `hour_start` lies.

    `end` is the instant the shifted year ends with; both are UTC epoch seconds on the hour. Hours
    beyond the record's ends take the hour 52 weeks away.
    """
    weekly = (end // HOUR - MONDAY_EPOCH_HOURS) % HOURS_PER_WEEK
    length = len(extract().carbon_ug_per_wh)
    last = length - (length - FIRST_MONDAY - weekly) % HOURS_PER_WEEK
    return (last - (end - hour_start) // HOUR) % PERIOD_HOURS
