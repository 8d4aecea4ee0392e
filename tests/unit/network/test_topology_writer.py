# SPDX-License-Identifier: Apache-2.0
"""Goal: what is written is what is read. Method: random topologies, there and back."""

from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.definition import Collection, Definition
from pedchain_fabric.admin.raft import RaftTimers
from pedchain_fabric.admin.smartbft import Batch, Timers
from pedchain_network.topology import reader, writer
from pedchain_network.topology.model import (
    Chaincode,
    Deployment,
    Governance,
    Lifetimes,
    Limit,
    Ordering,
    Organization,
    Package,
    Ports,
    Resources,
    Topology,
)

HOSTS = ("127.0.0.1", "localhost", "10.1.2.3", "peer.example")
# Words that YAML takes for something else than a text are names, too.
NAMES = st.sampled_from(["No", "True", "null", "DSO", "Y", "E1"]) | st.from_regex(
    r"[A-Z][A-Za-z0-9]{0,8}", fullmatch=True
)
WORDS = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x2FFF, exclude_characters="\x7f"),
    min_size=1,
    max_size=12,
)
LABELS = st.from_regex(r"[a-z][a-z0-9]{0,6}(_[0-9])?", fullmatch=True)
MS = st.integers(1, 3_600_000)


@st.composite
def organizations(draw: st.DrawFn, host: str) -> tuple[Organization, ...]:
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=lambda each: each.lower()))
    return tuple(draw(organization(name, 2_000 + 100 * n, host)) for n, name in enumerate(names))


@st.composite
def organization(draw: st.DrawFn, name: str, base: int, host: str) -> Organization:
    own = draw(st.sampled_from([host, *HOSTS]))
    bindable = own == "localhost" or own[0].isdigit()
    binds = st.sampled_from(["0.0.0.0", "127.0.0.1", "10.1.2.3"])
    return Organization(
        name=name,
        ports=Ports(base),
        peers=draw(st.integers(1, 3)),
        orderer=draw(st.booleans()),
        host=own,
        listen=own if bindable and draw(st.booleans()) else draw(binds),
        own_ca=draw(st.booleans()),
    )


@st.composite
def ordering(draw: st.DrawFn) -> Ordering:
    small, large = sorted(draw(st.tuples(st.integers(1024, 1 << 26), st.integers(1024, 1 << 26))))
    batch = Batch(draw(MS), draw(st.integers(1, 10_000)), small, large)
    if draw(st.booleans()):
        beats, elections = draw(st.sampled_from([(1, 2), (1, 10), (3, 1_000)]))
        timers = RaftTimers(draw(MS), elections, beats, draw(st.integers(1, 99)), 1 << 20)
        return Ordering(Consensus.RAFT, 0, batch, raft=timers)
    forward, complain, remove = sorted(draw(st.tuples(MS, MS, MS)))
    resend, change = sorted(draw(st.tuples(MS, MS)))
    timers_ = Timers(forward, complain, remove, draw(MS), change, resend, draw(MS))
    return Ordering(Consensus.SMARTBFT, 0, batch, timers=timers_)


@st.composite
def chaincode(draw: st.DrawFn) -> Chaincode:
    labels = draw(st.lists(LABELS, min_size=1, max_size=4, unique=True))
    plain = draw(st.booleans())
    packages = tuple(
        Package(label, label, n)
        if plain
        else Package(label, draw(WORDS), 19 - n, draw(st.integers(0, 3)))
        for n, label in enumerate(labels)
    )
    command = draw(st.lists(WORDS, min_size=1, max_size=3))
    return Chaincode(tuple(command), draw(WORDS), packages)


@st.composite
def deployments(
    draw: st.DrawFn, members: tuple[Organization, ...], served: Chaincode
) -> tuple[Deployment, ...]:
    names = draw(st.lists(LABELS, max_size=3, unique=True))
    policy = f"OR('{members[0].msp_id}.peer')"
    collection = Collection(
        draw(LABELS), (members[0].msp_id,), draw(st.sampled_from(["", policy])), 0, 2
    )
    return tuple(
        Deployment(
            draw(st.sampled_from(served.packages)).label,
            Definition(
                name,
                draw(WORDS),
                draw(st.integers(1, 1_000_000)),
                policy,
                draw(st.sampled_from([(), (collection,)])),
            ),
        )
        for name in names
    )


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    host = draw(st.sampled_from(HOSTS))
    members = draw(organizations(host).filter(lambda all_: any(each.orderer for each in all_)))
    served = draw(chaincode())
    days = sorted(draw(st.lists(st.integers(1, 36_500), min_size=4, max_size=4)), reverse=True)
    limit = st.builds(Limit, st.integers(50, 9_000), st.integers(64, 9_000))
    return Topology(
        channel=draw(st.sampled_from(["ped", "no", "a.b-c"])),
        domain=draw(st.sampled_from(["ped", "1.2", "null"])),
        host=host,
        organizations=members,
        governance=Governance(
            f"OR('{members[0].msp_id}.admin')", f"OR('{members[0].msp_id}.peer')"
        ),
        ordering=draw(ordering()),
        chaincode=served,
        deployments=draw(deployments(members, served)),
        lifetimes=Lifetimes(*days),
        fabric=f"3.1.{draw(st.integers(0, 99))}",
        resources=draw(st.builds(Resources, limit, limit, limit)),
        dial_names=draw(st.booleans()),
    )


@given(topologies())
def test_what_is_written_is_read_back(topology: Topology) -> None:
    text = writer.text(topology)
    assert reader.parse(text, "written") == topology
    assert writer.text(reader.parse(text, "written")) == text


def test_the_shipped_topologies_come_back() -> None:
    for path in (reader.reference(), reader.highly_available()):
        topology = reader.load(path)
        assert reader.parse(writer.text(topology), "written") == topology
