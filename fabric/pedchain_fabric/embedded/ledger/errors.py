# SPDX-License-Identifier: Apache-2.0
"""What the ledger refuses."""

from pedchain_fabric.errors import FabricError


class LedgerError(FabricError):
    """The ledger cannot do what was asked (its file, its height, a missing block)."""


class SimulationError(LedgerError):
    """A state operation of a simulation was refused; the text is Fabric's own."""


class BlockRefused(LedgerError):  # noqa: N818 - says what happened
    """The block does not continue the chain, or its orderers did not sign it: nothing changed."""


class ConfigRefused(LedgerError):  # noqa: N818 - says what happened
    """A configuration update is not authorised, or does not fit the current configuration."""
