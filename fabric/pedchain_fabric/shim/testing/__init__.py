# SPDX-License-Identifier: Apache-2.0
"""Test doubles for contracts: a peer in memory, and clients' certificates without a CA."""

from pedchain_fabric.shim.testing.identities import creator
from pedchain_fabric.shim.testing.memorypeer import MemoryPeer
from pedchain_fabric.shim.testing.outcome import CommitRefused, Outcome, TransactionFailed

__all__ = ["CommitRefused", "MemoryPeer", "Outcome", "TransactionFailed", "creator"]
