# SPDX-License-Identifier: Apache-2.0
"""Tokens, energy sharing and the peer-to-peer market, pure (rules K, S, P)."""
