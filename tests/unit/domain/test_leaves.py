# SPDX-License-Identifier: Apache-2.0
from pedchain_domain import leaves, merkle
from pedchain_domain.intervals import Series

SEED = "0f" * 16
ROLES = {
    "I": Series([250, 0, 7], "MGX", [], []),
    "E": Series([0, 12, 0], "MMX", [], []),
}


def test_a_leaf_is_salt_and_canonical_registers() -> None:
    hashes = leaves.interval_leaves("h.GCP", SEED, 900, 900, ROLES)
    for at, interval in enumerate((900, 1800, 2700)):
        shown = {role: [one.classes[at], one.values[at]] for role, one in ROLES.items()}
        data = leaves.leaf_salt(SEED, at) + leaves.leaf_bytes("h.GCP", interval, shown)
        assert hashes[at] == merkle.leaf_hash(data)


def test_salts_differ_by_interval_and_seed() -> None:
    salts = [leaves.leaf_salt(seed, at) for seed in (SEED, "00" * 16) for at in (0, 1)]
    assert len(dict.fromkeys(salts)) == 4
    assert [len(salt) for salt in salts] == [16] * 4


def test_a_subject_can_prove_one_interval_to_the_districts_root() -> None:
    mine = leaves.interval_leaves("h.GCP", SEED, 900, 900, ROLES)
    point = merkle.root(mine)
    shard_hashes = [leaves.root_leaf(root) for root in (b"\x01" * 32, point, b"\x02" * 32)]
    shard = merkle.root(shard_hashes)
    assert shard == leaves.nested_root([b"\x01" * 32, point, b"\x02" * 32])
    district_hashes = [leaves.root_leaf(shard), leaves.root_leaf(b"\x03" * 32)]
    roots = [root.hex() for root in (point, shard, merkle.root(district_hashes))]
    proof = leaves.prove([(mine, 1), (shard_hashes, 1), (district_hashes, 0)])
    salt = leaves.leaf_salt(SEED, 1)
    shown = leaves.leaf_bytes("h.GCP", 1800, {"I": ["G", 0], "E": ["M", 12]})
    assert leaves.verify(salt, shown, proof, roots)
    assert not leaves.verify(salt, shown.replace(b"12", b"13"), proof, roots)
    assert not leaves.verify(leaves.leaf_salt(SEED, 0), shown, proof, roots)
    assert not leaves.verify(salt, shown, proof, [roots[0], "00" * 32, roots[2]])
