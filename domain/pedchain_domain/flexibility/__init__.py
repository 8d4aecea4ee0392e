# SPDX-License-Identifier: Apache-2.0
"""Demand response: order, baseline, delivery, money (rules D)."""
