# SPDX-License-Identifier: Apache-2.0
"""The contract under test on fabric-chaincode-python: `chaincode.py ADDRESS CCID`.

As on our shim and on Node's it carries out scripts, with what this shim has: no private data, no
key-level policies, no transient data. Steps it lacks are answered with an error.
"""

import json
import logging
import os
import sys
import threading

from fabric_chaincode_python.fabric_shim import server
from fabric_chaincode_python.fabric_shim.interfaces import Chaincode
from fabric_chaincode_python.fabric_shim.response import error, success


async def _get(stub, key):
    found = await stub.get_state(key)
    return found.decode() if found else None


async def _put(stub, key, value):
    await stub.put_state(key, value)


async def _delete(stub, key):
    await stub.delete_state(key)


async def _range(stub, start, end):
    found = await stub.get_state_by_range(start, end)
    return [[each.key, each.value.decode()] async for each in found]


async def _page(stub, start, end, size, bookmark):
    found = await stub.get_state_by_range_with_pagination(start, end, size, bookmark)
    return [[each.key async for each in found], None]  # the next bookmark cannot be had


async def _composite_put(stub, kind, parts, value):
    await stub.put_state(stub.create_composite_key(kind, parts), value)


async def _composite(stub, kind, parts):
    found = await stub.get_state_by_partial_composite_key(kind, parts)
    return [[*stub.split_composite_key(each.key), each.value.decode()] async for each in found]


async def _history(stub, key):
    found = await stub.get_history_for_key(key)
    return [[each.tx_id, None if each.is_delete else each.value.decode()] async for each in found]


async def _event(stub, name, payload):
    stub.set_event(name, payload)


async def _call(stub, chaincode, *arguments):
    answer = await stub.invoke_chaincode(chaincode, arguments)
    return answer.payload.decode()


async def _transaction(stub):
    time = stub.get_tx_timestamp()
    return [stub.get_txid(), stub.get_channel_id(), str(time.seconds * 10**9 + time.nanos)]


async def _caller(stub):
    return [stub.get_creator()["mspid"], ""]


async def _raise(stub, message):
    raise ValueError(message)


STEPS = {
    "get": _get,
    "put": _put,
    "delete": _delete,
    "range": _range,
    "page": _page,
    "composite_put": _composite_put,
    "composite": _composite,
    "history": _history,
    "event": _event,
    "call": _call,
    "transaction": _transaction,
    "caller": _caller,
    "raise": _raise,
}


class Script(Chaincode):
    async def init(self, stub):
        return success(b"")

    async def invoke(self, stub):
        function, parameters = stub.get_function_and_parameters()
        if function != "Run":
            return success(function.encode())
        answers = []
        for name, *rest in json.loads(parameters[0]):
            if name == "fail":
                return error("failed: " + rest[0])
            if name not in STEPS:
                return error(name + " is not there")
            answers.append(await STEPS[name](stub, *rest))
        return success(json.dumps(answers, separators=(",", ":")).encode())


def _end_with_parent():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    address, ccid = sys.argv[1:]
    key, cert, ca = (
        os.environ.get(name)
        for name in ("CHAINCODE_TLS_KEY", "CHAINCODE_TLS_CERT", "CHAINCODE_CLIENT_CA_CERT")
    )
    server.start(Script(), ccid, address, key, cert, ca)
