# SPDX-License-Identifier: Apache-2.0
"""Bounds of settlement's calls: counts, never a clock, that keep a step under 150 ms."""

from typing import Final

IDENTIFIER: Final = 80  # a transaction's id and a number in it
FOLD_CREDITS: Final = 100  # credits folded by one debit
PAGE: Final = 100  # documents in one answer
BATCH_TOKENS: Final = 48  # tokens in one transfer
DAYS: Final = 400  # market days published at once
TABLES: Final = 4  # reference tables of a carrier that are kept
LINES_COLLECTED: Final = 250  # order lines of a session read in one step
ACCOUNTS_TOGETHER: Final = 250  # accounts whose outcome of a session stands in one document
OUTCOMES_KEPT: Final = 14  # such documents written in one step of clearing
SESSIONS_TAKEN: Final = 24  # sessions an account takes its outcome of by one debit
PROOFS: Final = 48  # intervals shown at once, of whole hours
LATE: Final = 60 * 86_400  # seconds after delivery from when a register not shown is not measured
MEMBERS: Final = 60  # of one community: an hour is shared in one step
EVER_MEMBERS: Final = 1_000  # who ever were in one community
HOURS: Final = 25  # of a local day, in one answer
REGISTERS: Final = 64  # asked for at once, whether their origin goes with them
FLOW: Final = 1_000_000_000_000  # Wh between two zones in an hour
PERIOD: Final = 28 * 86_400  # seconds of debits at least that are purged together
RETENTION: Final = 456 * 86_400  # seconds a session's documents are kept after delivery (rules Y)
