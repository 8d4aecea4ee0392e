# SPDX-License-Identifier: Apache-2.0
"""Independent verification of the ledger from raw blocks."""
