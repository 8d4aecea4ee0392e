# SPDX-License-Identifier: Apache-2.0
"""Bounds of demand response's calls: counts, never a clock, that keep a step under 150 ms."""

from typing import Final

SHARE_CELLS: Final = 6  # cells whose day is shared in one step
FREEZE_CELLS: Final = 1  # cells frozen in one step: two months of up to a dozen sites
MEASURE_CELLS: Final = 4  # cells measured in one step
CORRECT_CELLS: Final = 10  # cells whose statements are corrected in one step
PAPERS: Final = 60  # signed documents in one call
CREDITS: Final = 60  # users paid in one step
ENROLLED: Final = 16  # enrolments of one site, past ones included
ABSENCES: Final = 64  # declared absences of one site
LAPSE: Final = 90 * 86_400  # seconds after its end from when an order not settled lapses
DAYS_KEPT: Final = 185 * 86_400  # 65 for the last order that looks back, and 120 after it
ORDERS_KEPT: Final = 456 * 86_400  # plans, statements, answers: as readings
REMEMBERED: Final = 60 * 86_400  # seconds for which a dispatch counts in days and in fairness
HISTORY: Final = 5  # orders of a provider that its reliability is made of
