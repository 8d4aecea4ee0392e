# SPDX-License-Identifier: Apache-2.0
"""Serves our packages, and beside metering a contract that looks at nothing: it reads the keys and
writes the bytes that a batch does. What it costs is Fabric's own, whatever a contract does."""

import sys

from pedchain_chaincode.cli import contracts, serve
from pedchain_chaincode.documents import load, load_many, save
from pedchain_chaincode.metering import keys
from pedchain_fabric.shim import Context, Contract, Package, Tls, submit

COMMAND = (sys.executable, "-m", "bench.bare", "serve")


class BareContract(Contract):
    """Files what it is given, unseen."""

    name = "bare"

    @submit
    async def submit_readings(self, ctx: Context, period: int) -> bytes:
        """Transient `records`, `cells`, and as text `rows`: the bytes of rows that a batch of these
        records adds, and `count`."""
        stub, sent = ctx.stub, ctx.stub.transient
        await load(stub, keys.fence(stub))
        await load(stub, keys.naming(stub))
        cells = map(int, sent["cells"].split(b","))
        await load_many(stub, [keys.roster(stub, cell) for cell in cells])
        written = sent["salt"] + bytes(int(sent["rows"])) + sent["records"]
        transaction = stub.transaction_id
        await stub.put_private(keys.COLLECTION, keys.batch(stub, transaction), written)
        marker = keys.batch_marker(stub, period, "bare", transaction)
        await save(stub, marker, {"records": int(sent["count"]), "root": sent["salt"].hex() * 2})
        return bytes(int(sent["count"]))


def package(text: str) -> Package:
    """The package that `name=address=ccid` describes."""
    name, address, ccid = text.split("=", 2)
    bare = [BareContract()] if name == "metering" else []
    return Package(ccid, address, [*contracts(name), *bare], tls=Tls.from_environment())


if __name__ == "__main__":
    serve([package(each) for each in sys.argv[2:] if each != "--package"])
