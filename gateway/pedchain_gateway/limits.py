# SPDX-License-Identifier: Apache-2.0
"""Every bound of the gateway, in one place."""

CONFIG_BYTES_MAX = 1024 * 1024

BODY_BYTES_MAX = 1024 * 1024
"""A request's body, packed and unpacked alike."""
BODY_DEPTH_MAX = 8
BODY_READ_S = 15.0
"""A client that sends slower than this is told so and let go."""
RECORDS_PER_REQUEST_MAX = 1_000
REQUESTS_INSIDE_MAX = 1_000
"""Requests served at the same time; more are asked to come again."""
KEEP_ALIVE_S = 30

BATCH_RECORDS_MAX = 640
"""What the metering contract judges within a call of 150 ms, with room for a busy machine, where it
is told the devices' cells; it refuses so many devices otherwise, and the batch is halved."""
BATCH_BYTES_MAX = 640 * 1024
"""Raw bytes of one batch: below what the contract takes (704 KiB), for the same reason."""
DEVICES_TOLD_MIN = 40
"""Batches of fewer devices leave their cells out: a cell holds some 25 to 40."""
CELLS_TOLD_MAX = 128
CELLS_ASKED_MAX = 1_000
"""Devices whose cells are asked for in one query (the contract's own bound)."""
DEVICES_REMEMBERED_MAX = 100_000
BATCHES_IN_FLIGHT_MAX = 3
BATCH_LINGER_S = 0.1
"""How long a record waits for company while other batches are under way: about a block's time."""
RECORDS_WAITING_MAX = 5_000
"""Records of one district inside the gateway; above this, callers are asked to wait."""
RETRY_AFTER_S = 2
SPOOL_RECORDS_MAX = 100_000
"""Records acknowledged early that are not on the ledger yet; above this, callers wait."""
SPOOL_PAUSE_S = 1.0
"""Before what the ledger did not take is sent again."""
SPOOL_KEPT_S = 86_400
"""How long a submission's answers can be asked for."""

SUBMISSIONS_PER_BATCH_MAX = 64
"""Transactions that one batch may cost, halving included; the rest is asked to come again."""
MISMATCHES_PER_BATCH = 2
MISMATCHES_ALONE = 7
"""A record that stands alone is given three seconds before quarantine: a peer may only lag."""
MISMATCH_PAUSE_S = 0.05
"""First pause after endorsers differed; it doubles."""
SALT_BYTES = 16

FENCE_FRESH_S = 30.0
UNKNOWN_RESUBMIT_S = 30.0
"""After this long a transaction the ledger has never seen may be sent again."""
REJECTION_REMEMBERED_S = 300.0
"""An exact replay of a rejected record is answered from memory this long; then it is tried
again, because a key or device may have been registered meanwhile."""
INDEX_KEPT_S = 120 * 86_400
"""Receipts older than this are forgotten; the ledger's fold still knows duplicates."""
QUARANTINE_ROWS_MAX = 10_000

DOCUMENTS_PER_REGISTER = 200
REGISTRATION_FILE_BYTES_MAX = 64 * 1024 * 1024
DOCUMENT_FILE_BYTES_MAX = 64 * 1024
STEPS_PER_CALL_MAX = 10_000
"""Calls of a contract's step (`more`) before something must be wrong."""
FOLLOWED_DAYS_MAX = 70
"""Days back that certificates go with the energy: more than settlement waits for registers."""
STEP_TRIES_MAX = 8
STEP_PAUSE_S = 0.05
"""First pause before an idempotent step is tried again; it doubles, and is spread by chance."""
CLOSING_EVERY_S = 60.0
CLOSING_REST = 9.0
"""Pause between steps of a closing that nobody waits for, in times of the step before: a tenth of
the time at work, so that fewer than one lone reading in twenty waits long for a step (ADR 44)."""
CLOSING_REST_S_MAX = 5.0
HEALTH_DEADLINE_S = 3.0
HEALTH_FRESH_S = 1.0
"""A health answer serves all who ask within this time: asking often must not load the peer."""
PROOFS_SHOWN = 48
"""Intervals shown to settlement in one transaction (the contract's own bound)."""
ERASE_BATCHES = 4
"""Batches written anew in one step of an erasure (the contract's own bound)."""
INQUIRY_FRESH_S = 300
"""How old a device's signed inquiry may be, and how far ahead its clock."""
TOKEN_S = 3_600
TOKEN_BYTES_MAX = 8_192
"""A person's token."""
CLOCKS_DIFFER_S = 30
KEYS_S = 10.0
"""An issuer's keys are asked for again at most this often for a key nobody knows."""
KEYS_KEPT_S = 3_600.0
KEYS_ANSWER_S = 5
AUDIT_LINE_BYTES_MAX = 16_384
AUDIT_FILE_BYTES_MAX = 64 * 1024 * 1024
"""Of a file of the audit log; the chain goes on in the next."""

PAGE_MAX = 100
EXPORT_BLOCKS_MAX = 1_000
BLOCKS_REMEMBERED = 16
HISTORY_READ_S = 5.0
"""How long one question may read blocks that nobody has looked at yet."""
STREAMS_MAX = 100
STREAM_S = 900.0
STREAM_LOOK_S = 0.5
STREAM_ALIVE_S = 15.0
COMMANDS_EVERY_S = 2.0
"""How often an open stream of commands looks at the ledger."""
BINDING_FRESH_S = 60.0
"""How long the registry's word on a device's connection holds."""
BINDINGS_MAX = 20_000
TOKENS_MAX = 1_000
"""Tokens of OpenADR clients that are valid at the same time."""
PAPERS_TOGETHER = 60
"""Documents that devices or issuers signed in one transaction (the contract's own bound)."""
