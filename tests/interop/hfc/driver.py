# SPDX-License-Identifier: Apache-2.0
"""What fabric-sdk-py 1.0.0 (hfc) makes of a network: `driver.py PROFILE CHAINCODE KEY`.

Runs in hfc's own environment, prints one JSON object: the outcome of each step by name, `value` or
`error`. Every step is tried, whatever became of the others.
"""

import asyncio
import json
import logging
import sys

from hfc.fabric import Client
from hfc.fabric.peer import Peer

CHANNEL = "ped"
OURS, OTHER = "peer0.dso.ped", "peer0.districta.ped"
SECONDS = 30


class Steps:
    def __init__(self, profile, chaincode, key):
        self.profile = profile
        self.chaincode = chaincode
        self.key = key
        self.client = Client(net_profile=profile)
        self.client.new_channel(CHANNEL)
        self.user = self.client.get_user("DSO", "gateway")
        self.admin = self.client.get_user("DSO", "admin")

    async def call(self, kind, peers, *steps, **more):
        return await getattr(self.client, "chaincode_" + kind)(
            requestor=self.user,
            channel_name=CHANNEL,
            peers=peers,
            args=[json.dumps(steps)],
            cc_name=self.chaincode,
            fcn="Run",
            **more,
        )

    async def loads(self):
        return {
            "organizations": sorted(self.client.organizations),
            "peers": sorted(self.client.peers),
            "orderers": sorted(self.client.orderers),
            "msp": self.user.msp_id,
        }

    async def channels(self):
        found = await self.client.query_channels(requestor=self.admin, peers=[OURS])
        return [each.channel_id for each in found.channels]

    async def invoke(self):
        return await self.call(
            "invoke", [OURS, OTHER], ["put", self.key, "hfc"], wait_for_event=True
        )

    async def query(self):
        return await self.call("query", [OURS], ["get", self.key])

    async def invoke_and_event(self):
        return await self.call(
            "invoke",
            [OURS, OTHER],
            ["put", self.key, "again"],
            ["event", "heard", self.key],
            wait_for_event=True,
            cc_pattern="^heard$",
        )

    async def transient(self):
        return await self.call(
            "invoke",
            [OURS, OTHER],
            ["private_put", "pair", self.key, "text"],
            transient_map={"text": b"unseen"},
            wait_for_event=True,
        )

    async def refusal(self):
        return await self.call("invoke", [OURS, OTHER], ["fail", "not today"])

    async def too_few(self):
        return await self.call("invoke", [OURS], ["put", self.key, "one"], wait_for_event=True)

    async def info(self):
        found = await self.client.query_info(self.admin, CHANNEL, [OURS])
        return found.height

    async def blocks(self):
        """A block by number, hash and transaction, and the transaction itself."""
        height = await self.info()
        more = {"peers": [OURS], "decode": True}
        block = await self.client.query_block(
            self.admin, CHANNEL, block_number=str(height - 1), **more
        )
        header = block["data"]["data"][0]["payload"]["header"]["channel_header"]
        tx_id = header["tx_id"]
        by_tx = await self.client.query_block_by_txid(self.admin, CHANNEL, tx_id=tx_id, **more)
        transaction = await self.client.query_transaction(self.admin, CHANNEL, tx_id=tx_id, **more)
        first = await self.client.query_block(
            self.admin, CHANNEL, block_number=str(height - 2), **more
        )
        previous = bytes.fromhex(block["header"]["previous_hash"].decode())
        by_hash = await self.client.query_block_by_hash(
            self.admin, CHANNEL, block_hash=previous, **more
        )
        return {
            "number": block["header"]["number"] == height - 1,
            "by_transaction": by_tx["header"]["number"] == height - 1,
            "by_hash": by_hash["header"]["number"] == first["header"]["number"],
            "channel": header["channel_id"],
            "code": transaction["validation_code"],
        }

    async def listen(self):
        """Blocks from the first on, by the event hub."""
        channel = self.client.get_channel(CHANNEL)
        hub = channel.newChannelEventHub(self.client.get_peer(OURS), self.user)
        numbers = []
        stream = hub.connect(filtered=True, start=0, stop=2)
        hub.registerBlockEvent(
            unregister=False, onEvent=lambda block: numbers.append(int(block["number"]))
        )
        await asyncio.wait_for(stream, SECONDS)
        return numbers

    async def config(self):
        """The channel's configuration, from a peer."""
        found = await self.client.get_channel_config(self.admin, CHANNEL, [OURS], decode=True)
        groups = found[0].config.channel_group.groups
        return sorted(groups["Application"].groups)

    async def peers(self):
        """Discovery of the channel's members."""
        found = await self.client.query_peers(self.admin, OURS, channel=CHANNEL, local=False)
        return sorted(found["local_peers"])

    async def installed(self):
        found = await self.client.query_installed_chaincodes(self.admin, [OURS])
        return str(found)

    async def discovery(self):
        """A client without a profile's nodes: one peer, and discovery for all else."""
        known = self.client.get_net_info("peers", OURS)
        first = Peer(
            name=OURS,
            endpoint=known["url"],
            tls_ca_cert_file=known["tlsCACerts"]["path"],
            opts=tuple(known["grpcOptions"].items()),
        )
        client = Client()
        await client.init_with_discovery(self.admin, first, CHANNEL)
        found = {
            "organizations": sorted(client.organizations),
            "peers": sorted(client.peers),
            "orderers": sorted(client.orderers),
        }
        found["answer"] = await client.chaincode_query(
            requestor=self.user,
            channel_name=CHANNEL,
            peers=[OURS],
            args=[json.dumps([["get", self.key]])],
            cc_name=self.chaincode,
            fcn="Run",
        )
        await client.close_grpc_channels()
        return found


ORDER = (
    "loads",
    "channels",
    "invoke",
    "query",
    "invoke_and_event",
    "transient",
    "refusal",
    "too_few",
    "info",
    "blocks",
    "listen",
    "config",
    "peers",
    "installed",
    "discovery",
)


async def main(arguments):
    steps = Steps(*arguments)
    outcomes = {}
    for name in ORDER:
        try:
            outcomes[name] = {"value": await asyncio.wait_for(getattr(steps, name)(), SECONDS)}
        except Exception as error:  # noqa: BLE001 - whatever it is, it is hfc's answer
            outcomes[name] = {"error": type(error).__name__ + ": " + str(error)}
    await steps.client.close_grpc_channels()
    return outcomes


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    found = loop.run_until_complete(main(sys.argv[1:]))
    sys.stdout.write(json.dumps(found, default=lambda each: str(type(each))))
