# SPDX-License-Identifier: Apache-2.0
"""Demand response through one organisation's gateway."""
