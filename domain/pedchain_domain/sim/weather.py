# SPDX-License-Identifier: Apache-2.0
"""Weather of a generated year: temperature and sunshine by hour, from a seed.

A sine over the year and one over the day, and clouds that change slowly: enough to make homes
differ from hour to hour as real ones do, no claim beyond that.
"""

import math
import random
from dataclasses import dataclass

HOUR = 3600
DAY = 24 * HOUR
YEAR = 365.25 * DAY
#: Latitude of the generated street in degrees (Rome).
LATITUDE = 41.9
WARMEST = 205 * DAY  # late July, seconds into the year
SOLSTICE = 172 * DAY


@dataclass(frozen=True, slots=True)
class Hour:
    """Outdoor temperature in degrees C, and sunshine from 0 to 1 of a panel's rated power."""

    temperature_c: float
    sun: float


def weather(seed: int, start: int, hours: int) -> list[Hour]:
    """The hours from `start` (UTC epoch seconds) on; the same for the same seed and hour.

    Clouds are drawn per calendar day, so that a longer period holds the same days.
    """
    return [hour_at(seed, start + at * HOUR) for at in range(hours)]


def hour_at(seed: int, instant: int) -> Hour:
    """One hour's weather."""
    chance = random.Random(seed * 1_000_003 + instant // DAY)
    clouds = min(1.0, chance.betavariate(1.4, 2.2) * 1.3)
    warm_day = chance.gauss(0, 2.0)
    of_day = (instant % DAY) / DAY
    season = math.cos(2 * math.pi * (instant % YEAR - WARMEST) / YEAR)
    temperature = 15 + 10 * season + 5 * math.cos(2 * math.pi * (of_day - 0.6)) + warm_day
    return Hour(temperature, elevation(instant) * (1 - 0.6 * clouds))


def elevation(instant: int) -> float:
    """Sine of the sun's height in the middle of the hour, 0 at night."""
    middle = instant + HOUR // 2
    declination = math.radians(23.4) * math.cos(2 * math.pi * (middle % YEAR - SOLSTICE) / YEAR)
    hour_angle = 2 * math.pi * ((middle % DAY) / DAY - 0.5)
    latitude = math.radians(LATITUDE)
    height = math.sin(latitude) * math.sin(declination)
    height += math.cos(latitude) * math.cos(declination) * math.cos(hour_angle)
    return max(0.0, height)
