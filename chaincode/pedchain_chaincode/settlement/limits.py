# SPDX-License-Identifier: Apache-2.0
"""Bounds of settlement's calls: counts, never a clock, that keep a step under 150 ms."""

from typing import Final

FOLD_CREDITS: Final = 100  # credits folded by one debit
PAGE: Final = 100  # documents in one answer
BATCH_TOKENS: Final = 48  # tokens in one transfer
DAYS: Final = 400  # market days published at once
