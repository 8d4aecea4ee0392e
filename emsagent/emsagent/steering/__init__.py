# SPDX-License-Identifier: Apache-2.0
"""A home that plans by itself: its owner's wishes, what was measured, what devices are told."""
