# SPDX-License-Identifier: Apache-2.0
"""Bounds of the embedded ledger, in one place."""

from typing import Final

# Fabric's txmgr/query_executor.go: a range result of more keys than this is recorded as a summary.
MERKLE_DEGREE: Final = 50
# Rows read from the database at once by a range; bounds what an open iterator holds.
RANGE_CHUNK: Final = 200
# State rows kept in memory, and the largest value among them (bytes).
CACHED_ROWS: Final = 5_000
CACHED_VALUE: Final = 16 * 1024
# Parsed outcomes of the latest blocks.
CACHED_OUTCOMES: Final = 64
# Validated identities, and signatures found good.
CACHED_IDENTITIES: Final = 2_000
CACHED_SIGNATURES: Final = 5_000
# Blocks after which private data of a transaction that never came is forgotten
# (Fabric's transientstoreMaxBlockRetention, lowered as facts say).
TRANSIENT_BLOCKS: Final = 1_000
# Depth of a configuration tree.
CONFIG_DEPTH: Final = 16
