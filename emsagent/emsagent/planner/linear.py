# SPDX-License-Identifier: Apache-2.0
"""The plan of least cost, as a linear program that HiGHS solves. Runs in a process that ends.

By slot: drawn, fed in, curtailed; by store and slot: in, out, level, and what is missing of what
it must hold, dearly. Prices below zero count as zero, and feeding in never pays more than drawing
costs, so that nothing is drawn and fed in, or taken and given back, at once for its own sake.
Orders are kept or paid for. What a store holds at the end is worth the lowest price to come.
"""

from itertools import accumulate

import highspy

from emsagent.planner.problem import PPM, Plan, Problem, Store, room, spare_of, stored

METHOD = "linear"
MISSING_PRICE = 10_000_000.0
"""For a kWh that a store lacks, ucur."""
TIE = 1.0
"""ucur/kWh that moving energy costs at least: nothing is moved for nothing."""


class _Columns:
    """The program's variables and rows, as they are added."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.upper: list[float] = []
        self.rows: list[tuple[float, float, list[tuple[int, float]]]] = []

    def add(self, cost: float, upper: float = highspy.kHighsInf) -> int:
        self.cost.append(cost)
        self.upper.append(upper)
        return len(self.cost) - 1

    def row(self, low: float, high: float, terms: list[tuple[int, float]]) -> None:
        self.rows.append((low, high, terms))

    def solve(self, limit_s: float) -> list[float] | None:
        """The variables, or None where there is no optimum in time."""
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.cost), len(self.rows)
        lp.col_cost_, lp.col_upper_ = self.cost, self.upper
        lp.col_lower_ = [0.0] * len(self.cost)
        lp.row_lower_ = [low for low, _, _ in self.rows]
        lp.row_upper_ = [high for _, high, _ in self.rows]
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = [0, *accumulate(len(terms) for _, _, terms in self.rows)]
        lp.a_matrix_.index_ = [at for _, _, terms in self.rows for at, _ in terms]
        lp.a_matrix_.value_ = [value for _, _, terms in self.rows for _, value in terms]
        solver = highspy.Highs()  # type: ignore[no-untyped-call] # its stub leaves this out
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("time_limit", limit_s)
        solver.passModel(lp)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return list(solver.getSolution().col_value)


def plan(problem: Problem, limit_s: float) -> Plan | None:
    """The plan of least cost, or None where it was not found in time."""
    columns = _Columns()
    price = [max(0, problem.price(slot)) for slot in range(problem.slots)]
    sell = [max(0, min(problem.sell[slot], price[slot])) for slot in range(problem.slots)]
    curtailed = [columns.add(TIE / 2, sun) for sun in problem.sun_wh]
    placed = {store.name: _store(columns, problem, store, min(price)) for store in problem.stores}
    for slot in range(problem.slots):
        drawn = columns.add(price[slot])
        fed = columns.add(-sell[slot], problem.wh(problem.export_max_w))
        over = columns.add(MISSING_PRICE)
        columns.row(-highspy.kHighsInf, problem.wh(problem.import_max_w), [(drawn, 1), (over, -1)])
        moved = [
            term for ins, outs in placed.values() for term in ((ins[slot], -1.0), (outs[slot], 1.0))
        ]
        balance = float(problem.load_wh[slot] - problem.sun_wh[slot])
        columns.row(balance, balance, [(drawn, 1), (fed, -1), (curtailed[slot], -1), *moved])
        _order(columns, problem, slot, drawn, fed)
    found = columns.solve(limit_s)
    return None if found is None else _read(problem, placed, curtailed, found)


def _order(columns: _Columns, problem: Problem, slot: int, drawn: int, fed: int) -> None:
    ceiling, floor = problem.ceiling(slot), problem.floor(slot)
    if ceiling is not None:
        missed = columns.add(problem.order_price)
        columns.row(-highspy.kHighsInf, ceiling, [(drawn, 1), (fed, -1), (missed, -1)])
    if floor is not None:
        missed = columns.add(problem.order_price)
        columns.row(floor, highspy.kHighsInf, [(drawn, 1), (fed, -1), (missed, 1)])


def _store(
    columns: _Columns, problem: Problem, store: Store, worth: float
) -> tuple[list[int], list[int]]:
    share = store.efficiency_ppm / PPM
    ins, outs = [], []
    before: int | None = None
    for slot in range(problem.slots):
        here = store.connected[slot]
        ins.append(columns.add(TIE, problem.wh(store.in_w) if here else 0))
        outs.append(columns.add(TIE, problem.wh(store.out_w) if here else 0))
        is_last = slot == problem.slots - 1
        level = columns.add(-worth * share if is_last else 0, store.capacity_wh)
        missing = columns.add(MISSING_PRICE)
        known = float(-store.drain_wh[slot] + (store.level_wh if before is None else 0))
        terms = [(level, 1.0), (ins[-1], -share), (outs[-1], 1 / share), (missing, -1.0)]
        if before is not None:
            terms.append((before, -1.0))
        columns.row(known, known, terms)
        if store.least_wh[slot]:
            lacking = columns.add(MISSING_PRICE)
            columns.row(store.least_wh[slot], highspy.kHighsInf, [(level, 1), (lacking, 1)])
        before = level
    return ins, outs


def _read(
    problem: Problem,
    placed: dict[str, tuple[list[int], list[int]]],
    curtailed: list[int],
    found: list[float],
) -> Plan:
    """Whole Wh, each within what its store can do after the one before."""
    moves: dict[str, list[int]] = {}
    for store in problem.stores:
        ins, outs = placed[store.name]
        level = store.level_wh
        moves[store.name] = []
        for slot in range(problem.slots):
            move = round(found[ins[slot]] - found[outs[slot]])
            move = min(move, room(store, problem, level, slot))
            move = max(move, -spare_of(store, problem, level, slot))
            moves[store.name].append(move)
            level = stored(store, level, move, slot)
    made = Plan(METHOD, moves, [0] * problem.slots)
    for slot, sun in enumerate(problem.sun_wh):
        over = -made.net_wh(problem, slot) - problem.wh(problem.export_max_w)
        wanted = max(round(found[curtailed[slot]]), over)
        made.curtailed_wh[slot] = max(0, min(sun, wanted))
    return made
