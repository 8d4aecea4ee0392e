#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a peer launches: an external builder's `run`, whose chaincode dials the peer back.

A peer calls it as `run BUILD_OUTPUT RUN_METADATA`, with chaincode.json in the second folder.
"""

import asyncio
import json
import sys
from pathlib import Path

from pedchain_fabric.shim import Context, Contract, evaluate, start, submit


class Dialling(Contract):
    name = "dialling"

    @submit
    async def put(self, ctx: Context, key: str, value: str) -> None:
        await ctx.stub.put_state(key, value.encode())

    @evaluate
    async def get(self, ctx: Context, key: str) -> bytes:
        return await ctx.stub.get_state(key) or b""

    @evaluate
    async def whose(self, ctx: Context) -> str:
        return ctx.peer_msp_id


def environment(metadata: Path) -> dict[str, str]:
    """What Go's shim reads, from what the peer says of itself."""
    said = json.loads((metadata / "chaincode.json").read_text())
    variables = {
        "CORE_CHAINCODE_ID_NAME": said["chaincode_id"],
        "CORE_PEER_ADDRESS": said["peer_address"],
        "CORE_PEER_LOCALMSPID": said["mspid"],
        "CORE_PEER_TLS_ENABLED": "true" if said.get("root_cert") else "false",
    }
    files = {
        "root_cert": "CORE_PEER_TLS_ROOTCERT_FILE",
        "client_cert": "CORE_TLS_CLIENT_CERT_FILE",
        "client_key": "CORE_TLS_CLIENT_KEY_FILE",
    }
    for name, variable in files.items():
        path = metadata / f"{name}.pem"
        path.write_text(said.get(name, ""))
        variables[variable] = str(path)
    return variables


if __name__ == "__main__":
    asyncio.run(start([Dialling()], environment(Path(sys.argv[2]))))
