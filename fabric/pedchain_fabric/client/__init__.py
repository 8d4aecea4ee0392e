# SPDX-License-Identifier: Apache-2.0
"""The Gateway client: `Gateway -> Network -> Contract -> Proposal -> Transaction -> Commit`.

    async with await profile.connect(".pedchain/profiles/DSO.json") as gateway:
        contract = gateway.network("ped").contract("registry")
        await contract.submit("PutDistrict", document)
        answer = await contract.evaluate("GetDistrict", "DistrictA")

`submit` waits for the commit. Its steps can be taken one by one (`contract.new_proposal`), and
signed elsewhere. An unknown outcome is an error of its own (`SubmitError`,
`CommitStatusError`): `network.commit(error.transaction_id).status()` tells what became of it.
"""

from pedchain_fabric.client import profile
from pedchain_fabric.client.checkpoint import Checkpoint, FileCheckpointer, MemoryCheckpointer
from pedchain_fabric.client.commit import Commit, Status
from pedchain_fabric.client.contract import Contract
from pedchain_fabric.client.events import ChaincodeEvent
from pedchain_fabric.client.gateway import Gateway
from pedchain_fabric.client.limits import Deadlines
from pedchain_fabric.client.network import Network
from pedchain_fabric.client.profile import Profile
from pedchain_fabric.client.proposal import Proposal
from pedchain_fabric.client.stream import Stream
from pedchain_fabric.client.transaction import Transaction

__all__ = [
    "ChaincodeEvent",
    "Checkpoint",
    "Commit",
    "Contract",
    "Deadlines",
    "FileCheckpointer",
    "Gateway",
    "MemoryCheckpointer",
    "Network",
    "Profile",
    "Proposal",
    "Status",
    "Stream",
    "Transaction",
    "profile",
]
