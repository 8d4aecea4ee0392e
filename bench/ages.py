# SPDX-License-Identifier: Apache-2.0
"""The day of 1,000 devices on ledgers that are 10, 100 and 1,000 days old (`daycost`).

Long, for a thousand days are filed and closed first; `metering` compares 24 devices by age.
"""

import asyncio

from bench import daycost, street

AGES = (10, 100, 1_000)


def measure() -> dict[str, dict[str, float]]:
    return {"in_memory": asyncio.run(daycost.measure([(street.HOMES, AGES)]))}
