# SPDX-License-Identifier: Apache-2.0
"""What may be printed of the orders of a session: a curve in steps that tell of nobody (rules C2).

A step gathers neighbouring limits until enough accounts stand in it, none with more than its share;
what is left over joins the last step, unless that would then tell of somebody: it is left out. A
book too small for one step has no curve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pedchain_domain.market.clearing import Line

GROUP_ACCOUNTS = 15
GROUP_SHARE_PERCENT = 15


@dataclass(slots=True)
class _Step:
    limit: int = 0
    by_account: dict[str, int] = field(default_factory=dict)

    def add(self, limit: int, account: str, wh: int) -> None:
        self.limit = limit
        self.by_account[account] = self.by_account.get(account, 0) + wh


def printable(by_account: Mapping[str, int]) -> bool:
    """Whether a sum over accounts, Wh, tells of none of them in particular."""
    volume = sum(by_account.values())
    if len(by_account) < GROUP_ACCOUNTS:
        return False
    return max(by_account.values()) * 100 <= volume * GROUP_SHARE_PERCENT


def curve(lines: Sequence[Line], accounts: Mapping[str, str], *, buying: bool) -> list[list[int]]:
    """[limit, Wh] of one side, best first; `limit`, µcur per kWh, is the worst of its step, and
    `accounts` says whose each line is."""
    ranked = sorted(lines, key=lambda line: line.limit, reverse=buying)
    steps: list[_Step] = []
    step = _Step()
    for at, line in enumerate(ranked):
        step.add(line.limit, accounts[line.id], line.quantity)
        ends = at + 1 == len(ranked) or ranked[at + 1].limit != line.limit
        if ends and printable(step.by_account):
            steps.append(step)
            step = _Step()
    if steps and step.by_account:
        joined = _Step(step.limit, dict(steps[-1].by_account))
        for account, wh in step.by_account.items():
            joined.add(step.limit, account, wh)
        if printable(joined.by_account):
            steps[-1] = joined
    return [[one.limit, sum(one.by_account.values())] for one in steps]
