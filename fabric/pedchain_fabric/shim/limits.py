# SPDX-License-Identifier: Apache-2.0
"""Every bound of the chaincode runtime, in one place."""

from typing import Final

MESSAGE_BYTES: Final = 100 * 1024 * 1024  # Fabric's own limit, both ways (comm.MaxRecvMsgSize)
PAYLOAD_BYTES: Final = MESSAGE_BYTES - 64 * 1024  # leaves room for what a message wraps it in
BATCH_BYTES: Final = 16 * 1024 * 1024  # of writes in one message; a single larger one goes alone
TRANSACTIONS_PER_STREAM: Final = 5_000  # the peer's own limit on endorsements is 2,500
TRANSACTION_SECONDS: Final = 120.0  # beyond any sane `executetimeout`: the peer gave up long ago
COLLECTED_OBJECTS: Final = 50_000  # made and not freed, before cycles are looked for
GRACE_SECONDS: Final = 10.0  # how long a stopping server waits for running transactions
STREAM_END_SECONDS: Final = 2.0  # how long it waits for its streams to end after that

BATCH_FLOOR: Final = 100  # the least size of a write batch or multiple read (Go shim, handler.go)
PAGE_SIZE: Final = 2**31 - 1  # QueryMetadata.pageSize is an int32
RESULTS: Final = 100_000  # the peer's `totalQueryLimit`: where it ends a query without a word

ARGUMENTS: Final = 64
INTEGER_DIGITS: Final = 78  # 2**256 has 78; longer digit strings only cost time
NAME_LENGTH: Final = 128  # of a contract or a transaction
MESSAGE_CHARACTERS: Final = 4_096  # of an error response's message
ATTRIBUTE_BYTES: Final = 64 * 1024  # of the attributes in a certificate

KEEPALIVE_MS: Final = 60_000  # our own pings, as the Go shim's server
KEEPALIVE_TIMEOUT_MS: Final = 20_000
