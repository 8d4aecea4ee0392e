# SPDX-License-Identifier: Apache-2.0
"""The web page: what the ledger says, for people. HTML alone: no script, nothing from elsewhere."""
