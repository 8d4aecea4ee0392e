# SPDX-License-Identifier: Apache-2.0
"""Energy accounting for Positive Energy Districts: pure functions over plain documents.

Readings in, certificates out. Nothing here knows of a ledger, a clock, a file or a network; the
same bytes give the same result in every process, Python version and organisation. `sim` alone may
use floats and seeded randomness: it makes homes to try the rest with.
"""
