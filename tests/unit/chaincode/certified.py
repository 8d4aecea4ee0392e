# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a district's metering: it prints the certificate of a day that a test measured,
with the real leaves, roots and proofs."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pedchain_chaincode.origin import keys as origin
from pedchain_domain import canonical, leaves, merkle, proofs
from pedchain_domain.calendar import Day
from pedchain_domain.intervals import Series
from pedchain_fabric.shim import Context, Contract, submit
from tests.unit.chaincode.district import DAY, START

GRAIN = 900
TODAY = Day(day="2026-01-02", start=START + DAY, end=START + 2 * DAY, type="working")
Measured = Mapping[int, Mapping[str, tuple[int, str]]]
Hours = Mapping[str, Measured]
"""point -> hour -> role -> (Wh of the hour, class of its intervals); the energy is
spread over the hour or, unless `even`, all in its first interval."""


class Certified:
    """A day of a district's points as certified."""

    def __init__(self, district: str, hours: Hours, run: str = "F", *, even: bool = True) -> None:
        self.district, self.run, self.even = district, run, even
        points = {name: self._point(name, at) for name, at in sorted(hours.items())}
        self.intervals: dict[str, Any] = {"shard": 0, "points": points}
        self.roots = {"0": proofs.cell_root(self.intervals)}

    def _point(
        self, name: str, hours: Mapping[int, Mapping[str, tuple[int, str]]]
    ) -> dict[str, Any]:
        count = DAY // GRAIN
        roles = sorted({role for at in hours.values() for role in at})
        registers = {role: ([0] * count, ["M"] * count) for role in roles}
        for hour, at in hours.items():
            first = (hour - TODAY["start"]) // GRAIN
            for role, (wh, letter) in at.items():
                for quarter in range(4):
                    even = wh // 4 + (quarter < wh % 4)
                    part = even if self.even else wh * (quarter == 0)
                    registers[role][0][first + quarter] = part
                    registers[role][1][first + quarter] = letter
        seed = hashlib.sha256(name.encode()).hexdigest()[:32]
        series = {
            role: Series(values, "".join(classes), [], [])
            for role, (values, classes) in registers.items()
        }
        hashes = leaves.interval_leaves(name, seed, TODAY["start"], GRAIN, series)
        shown = {role: [values, "".join(classes)] for role, (values, classes) in registers.items()}
        return {"seed": seed, "root": merkle.root(hashes).hex(), "registers": shown}

    def certificate(self) -> dict[str, Any]:
        root = leaves.nested_root([bytes.fromhex(self.roots["0"])]).hex()
        return {"district": self.district, "run": self.run, "grain": GRAIN, "root": root}

    def proofs(self, point: str, hour: int) -> list[dict[str, Any]]:
        """proof/1 of each interval of an hour."""
        found = [
            proofs.make(self.intervals, self.roots, point, at, TODAY, GRAIN)
            for at in range(hour, hour + 3_600, GRAIN)
        ]
        return [{**one, "district": self.district, "run": self.run} for one in found]


class PrintingContract(Contract):
    """GetCertificate of what was put."""

    name = "metering"

    @submit
    async def get_certificate(self, ctx: Context, day: str) -> bytes:
        """The certificate of a day."""
        found = await ctx.stub.get_state(day)
        assert found is not None
        return found

    @submit
    async def put(self, ctx: Context, day: str, certificate: bytes) -> None:
        """Print a certificate."""
        await ctx.stub.put_state(day, canonical.encode(json.loads(certificate)))

    @submit
    async def leave(self, ctx: Context, mark: str) -> None:
        """Mark as a lock of a certificate of origin does."""
        await ctx.stub.put_state(origin.left(ctx.stub, mark), canonical.encode({}))
