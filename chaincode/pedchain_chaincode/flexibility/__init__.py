# SPDX-License-Identifier: Apache-2.0
"""Demand response (rules D): consent, shares and measures in each district's definition, orders and
their money in settlement's."""
