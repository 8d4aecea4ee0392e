# SPDX-License-Identifier: Apache-2.0
"""Private values of one transaction, held against the hashes that its block has of them."""

from collections.abc import Mapping

from pedchain_audit.errors import Broken
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import HashedCollection, Namespace, hash_key, sha256

COLLECTION = "readings"
#: Private values by the hash of their key.
Private = Mapping[bytes, bytes]


class PrivateDataError(Broken):
    """Private data that is not what the block says of it."""

    check = "private data"


def values(namespace: Namespace, private: bytes | None) -> Private | None:
    """Private values of the readings collection, each with the hash the block holds of it.

    None where the transaction wrote there and the archive holds no private data for it. Raises
    `PrivateDataError`.
    """
    hashed = {each.name: each for each in namespace.collections}.get(COLLECTION)
    if hashed is None or not hashed.writes:
        return {}
    if private is None:
        return None
    try:
        for decoded in rwset.decode_private(private):
            for collection in decoded.collections:
                if (decoded.name, collection.name) == (namespace.name, COLLECTION):
                    found = {hash_key(each.key): each.value for each in collection.writes}
                    check_hashes(hashed, found)
                    return found
    except WireError as error:
        raise PrivateDataError(str(error)) from error
    return None


def check_hashes(hashed: HashedCollection, found: Private) -> None:
    """Private values are those whose hashes stand in the block.

    A value may be missing: peers leave out of old write sets what was purged since.
    """
    expected = {write.key_hash: write.value_hash for write in hashed.writes if not write.deletes}
    for key, value in found.items():
        if value and expected.get(key) != sha256(value):
            raise PrivateDataError("a value is not the one the block holds the hash of")


def hashed_keys(namespace: Namespace) -> set[bytes]:
    """Keys of the readings collection that a transaction writes, as hashes."""
    return {
        write.key_hash
        for collection in namespace.collections
        if collection.name == COLLECTION
        for write in collection.writes
        if not write.deletes
    }
