# SPDX-License-Identifier: Apache-2.0
"""What the gateway needs of a ledger, and how it is had of Fabric."""
