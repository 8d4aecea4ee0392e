# SPDX-License-Identifier: Apache-2.0
"""Settlement: tokens, the ledger's clock and the market, in one definition (blueprint 6)."""
