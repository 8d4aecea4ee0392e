# SPDX-License-Identifier: Apache-2.0
"""The embedded network's ledger: Fabric's committer in one process, for all organisations.

`Ledger` is one channel; `Ledger.simulator` runs transactions against it. Everything follows
Fabric v3.1's core/ledger/kvledger and core/committer; each module names its source.
"""

from pedchain_fabric.embedded.ledger.blocks import ChainInfo
from pedchain_fabric.embedded.ledger.errors import (
    BlockRefused,
    ConfigRefused,
    LedgerError,
    SimulationError,
)
from pedchain_fabric.embedded.ledger.history import KeyModification
from pedchain_fabric.embedded.ledger.ledger import Ledger, ProcessedTransaction
from pedchain_fabric.embedded.ledger.lifecycle import (
    NAMESPACE,
    Collection,
    Definition,
    field_key,
    implicit_collection,
    metadata_key,
    read_definition,
    sequence,
)
from pedchain_fabric.embedded.ledger.outcome import BlockOutcome, TransactionOutcome
from pedchain_fabric.embedded.ledger.policies import PolicyEvaluator
from pedchain_fabric.embedded.ledger.private import TransientStore
from pedchain_fabric.embedded.ledger.results import SimulationResults
from pedchain_fabric.embedded.ledger.simulator import Simulator
from pedchain_fabric.embedded.ledger.staterange import KeyValue, StateRange
from pedchain_fabric.embedded.ledger.verifier import Verifier

__all__ = [
    "NAMESPACE",
    "BlockOutcome",
    "BlockRefused",
    "ChainInfo",
    "Collection",
    "ConfigRefused",
    "Definition",
    "KeyModification",
    "KeyValue",
    "Ledger",
    "LedgerError",
    "PolicyEvaluator",
    "ProcessedTransaction",
    "SimulationError",
    "SimulationResults",
    "Simulator",
    "StateRange",
    "TransactionOutcome",
    "TransientStore",
    "Verifier",
    "field_key",
    "implicit_collection",
    "metadata_key",
    "read_definition",
    "sequence",
]
