# SPDX-License-Identifier: Apache-2.0
"""Fabric in tests, without Docker: a network in this process (`network`, `plugin`), and the same
transactions in several processes (`repeated`)."""
