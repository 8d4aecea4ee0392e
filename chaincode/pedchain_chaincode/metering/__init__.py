# SPDX-License-Identifier: Apache-2.0
"""Metering of one district: its sites and devices, readings, folds and certificates."""
