# SPDX-License-Identifier: Apache-2.0
"""A home's orders in the market: from its forecast, within its owner's caps, signed by them."""
