# SPDX-License-Identifier: Apache-2.0
"""A prosumer's hand in the market, and a community's month."""
