# SPDX-License-Identifier: Apache-2.0
"""Every bound of the contracts, in one place. A call holds the peer's commit lock, so the budgets
of a step are what keeps it under 150 ms (blueprint 1); they are counts, never a clock."""

from typing import Final

SALT_BYTES: Final = 16  # of every private value
REGISTER_DOCUMENTS: Final = 200  # in one Register call
DOCUMENT_BYTES: Final = 512 * 1024  # of one document, or of the array given to Register
SHARDS: Final = 64  # of a district
CALENDARS: Final = 16  # of a district
DISTRICTS: Final = 64  # that must agree to a change

CLAIM_TRIES: Final = 5  # presentations of one claim code, right or wrong
CODE_BYTES: Final = 128  # of a claim code
POSSESSION_BYTES: Final = 2_048  # of a device's signed answer to a claim

CELL_SITES: Final = 12  # a cell takes no further site; some 25 to 40 devices
SITE_DEVICES: Final = 64  # of one site

BATCH_RECORDS: Final = 720  # a record costs some 0.13 ms to read and verify
DEVICES_UNTOLD: Final = 520  # of a batch that tells no cells: each is looked up by itself
BATCH_BYTES: Final = 704 * 1024  # of a batch's records together, unpacked
BATCH_CELLS: Final = 128  # rosters read for the devices of a batch
CELLS_ASKED: Final = 1_000  # devices whose cells are asked for in one query
GATHER_DOCUMENTS: Final = 150  # private batch documents read in one step
GATHER_MARKERS: Final = 200  # batch markers of one bucket ranged over in one step
GATHER_COST: Final = 15_000  # instants (a row is as ten) read in one step, beyond a document
FOLD_COST: Final = 15_000  # the same folded in one step, beyond the first cell
DIRECT_COST: Final = 10_000  # a period of so few is read and folded in one step
CLOSE_VALUES: Final = 4_000  # register values closed in one step, beyond the first cell

TRAILS_KNOWN: Final = 4  # earlier periods looked into for counters that come again
COUNTERS_TOGETHER: Final = 512  # of a device, whose periods are noted in one document
PERIODS_NOTED: Final = 512  # of one device and these counters, the newest
TRAILS: Final = 32  # trails looked through in one query
FINDINGS: Final = 500  # records in one answer
PAGE: Final = 50  # certificates in one answer
HISTORY: Final = 20  # versions of one certificate in one answer

CLOCK_TOLERANCE: Final = 120  # seconds a record may be ahead of the transaction's own time
EDGES_TOGETHER: Final = 4  # neighbouring days read at a time while an anchor is missing
ISSUE_CERTIFICATES: Final = 100  # documents of certificates, issues, storages written in one step

RETENTION_DAYS: Final = 456  # private documents of a day are kept so long after it (rules Y)
PURGE_BATCHES: Final = 40  # batch documents looked at and purged in one step
ERASE_BATCHES: Final = 4  # batch documents written anew in one step
SUBJECT_BATCHES: Final = 10  # batch documents looked through for a subject in one query
