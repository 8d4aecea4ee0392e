# SPDX-License-Identifier: Apache-2.0
"""The ledger as auditors look at it: blocks, transactions, histories of keys, events."""
