# SPDX-License-Identifier: Apache-2.0
"""Every bound of the domain in one place: what is larger is refused, never worked through.

The figures are ours. They are far above what meters send and far below what a call of 150 ms
(blueprint 1) can carry.
"""

RECORD_BYTES = 64 * 1024
RECORD_DEPTH = 6
READINGS_PER_RECORD = 1_000
BATCH_RECORDS = 1_000
BATCH_RAW_BYTES = 4 * 1024 * 1024
BATCH_PACKED_BYTES = 2 * 1024 * 1024

DOCUMENT_BYTES = 8 * 1024 * 1024
DOCUMENT_DEPTH = 12
INTEGER_DIGITS = 60
ID_LENGTH = 64

REGISTER_TEXT = 40
REGISTER_WH = 10**15
LATEST_INSTANT = 253_402_300_799  # 9999-12-31T23:59:59Z

# A device may have this many open gaps in its counters; of more, the oldest are closed for good.
OPEN_GAPS = 64
# A missing stretch longer than this is not bridged but missing (class X).
BRIDGE_DAYS = 31
# Days whose draws bound a missing draw, and how many of them must have a value (rules V2).
HISTORY_DAYS = 28
HISTORY_VALUES = 5
FINDINGS = 200
# A signed debit; a slice into as many parts at once; storage days an owner may leave unsettled.
DEBIT_BYTES = 16 * 1024
SLICES = 16
STORAGE_DAYS_PENDING = 60
