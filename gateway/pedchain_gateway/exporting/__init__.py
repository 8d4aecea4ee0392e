# SPDX-License-Identifier: Apache-2.0
"""What stands on the ledger, as tables for others' programs."""
