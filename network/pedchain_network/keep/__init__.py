# SPDX-License-Identifier: Apache-2.0
"""Copies: backup, restore, bundles for other hosts."""
