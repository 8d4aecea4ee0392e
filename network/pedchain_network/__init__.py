# SPDX-License-Identifier: Apache-2.0
"""The consortium's network: topology, PKI, runtimes."""
