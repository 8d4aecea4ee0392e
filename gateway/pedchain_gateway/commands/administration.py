# SPDX-License-Identifier: Apache-2.0
"""`ped-gateway claim|device|member|participation|decision`: the registry's daily work.

Every command names a profile and a district, prints one JSON line, and leaves with 0, or with 1
and the ledger's reason. Documents come from files, never from the command line: what stands there
can be read by everybody on the machine.
"""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from pedchain_gateway.commands.commandline import (
    Profile,
    fail,
    line,
    on_ledger,
    read_bytes,
    read_document,
)
from pedchain_gateway.ledger.port import Ledger, definition_of

claim = App(name="claim", help="Devices that wait for their key: offer, present, withdraw, show.")
device = App(name="device", help="A device's life: show, suspend, resume, revoke, rotate.")
member = App(name="member", help="Members and where they live: add, leave, occupy, vacate, show.")
participation = App(name="participation", help="A site's shares in districts: put, show.")
decision = App(name="decision", help="Changes that districts decide together: show, approve.")
COMMANDS = (claim, device, member, participation, decision)

District = Annotated[str, Parameter(help="The district's id.")]
Document = dict[str, Any]
Work = Callable[[Ledger], Awaitable[Document]]


@claim.command
def offer(file: Path, /, *, profile: Profile, district: District, periods: int = 7) -> int:
    """Expect a device; its one-time code is printed this once. FILE is a device/1 without key."""
    from pedchain_gateway.registering import registry

    document = read_document(file)
    return _act(profile, lambda at: registry.offer_claim(at, district, document, periods))


@claim.command
def present(name: str, file: Path, /, *, profile: Profile, district: District, code: Path) -> int:
    """Take up a claim with the device's possession/1 in FILE and the code in another file."""
    from pedchain_gateway.registering import registry

    answer, secret = read_document(file), read_bytes(code).decode(errors="replace").strip()

    async def work(ledger: Ledger) -> Document:
        await registry.take_claim(ledger, district, name, secret, answer)
        return {"claim": name, "state": "used"}

    return _act(profile, work)


@claim.command
def withdraw(name: str, /, *, profile: Profile, district: District) -> int:
    """Take a claim back, say because its code was lost."""
    from pedchain_gateway.ledger.steps import submit_step

    async def work(ledger: Ledger) -> Document:
        definition = definition_of(district)
        await submit_step(ledger, definition, "membership:WithdrawClaim", name)
        return {"claim": name, "state": "withdrawn"}

    return _act(profile, work)


@claim.command(name="show")
def show_claim(name: str, /, *, profile: Profile, district: District) -> int:
    """State, tries and last period of a claim."""
    return _query(profile, definition_of(district), "membership:GetClaim", name)


@device.command(name="show")
def show_device(name: str, /, *, profile: Profile, district: District) -> int:
    """A device by its name or pseudonym: keys by counter, state, suspensions."""
    return _query(profile, definition_of(district), "GetDevice", name)


@device.command
def suspend(name: str, /, *, profile: Profile, district: District, since: int) -> int:
    """Certify nothing the device measures from an instant (epoch seconds) on."""
    document = {"schema": "suspend/1", "device": name, "from": since}
    return _change(profile, district, "SuspendDevice", document)


@device.command
def resume(name: str, /, *, profile: Profile, district: District, at: int) -> int:
    """Count again what the device measures from an instant on."""
    document = {"schema": "resume/1", "device": name, "at": at}
    return _change(profile, district, "ResumeDevice", document)


@device.command
def revoke(
    name: str, /, *, profile: Profile, district: District, counter: int, since: int | None = None
) -> int:
    """Refuse records from a counter on; doubt readings since an instant (compromised_since)."""
    document: Document = {"schema": "revoke/1", "device": name, "counter": counter}
    if since is not None:
        document["compromised_since"] = since
    return _change(profile, district, "RevokeKey", document)


@device.command
def rotate(file: Path, /, *, profile: Profile, district: District) -> int:
    """Bind a new key: FILE is a rotate/1 with `signatures` of the old and the new key."""
    return _change(profile, district, "RotateKey", read_document(file))


@member.command
def add(file: Path, /, *, profile: Profile, district: District, identity: Path) -> int:
    """Admit a member: FILE is the membership/1 the member signed; who it is, in another file."""
    from pedchain_gateway.registering import registry

    membership, who = read_document(file), read_document(identity)

    async def work(ledger: Ledger) -> Document:
        return {"member": await registry.enrol(ledger, district, membership, who)}

    return _act(profile, work)


@member.command(name="add-all")
def add_all(file: Path, /, *, profile: Profile, district: District, dry_run: bool = False) -> int:
    """Admit many: each line of FILE is {"membership", "identity", "occupancy"?}, as members signed
    them. Who is a member already is left alone; DRY-RUN only tells who is new."""
    from pedchain_domain import canonical
    from pedchain_gateway.registering import bulk

    people: list[Document] = []
    for number, text in enumerate(_lines(file), start=1):
        try:
            found = canonical.decode(text)
        except canonical.CanonicalError as error:
            return fail(f"{file} line {number}: {error}")
        if not isinstance(found, dict) or not {"membership", "identity"} <= found.keys():
            return fail(f"{file} line {number}: no membership with its identity")
        people.append(found)
    return on_ledger(
        profile, "gateway", lambda at: bulk.enrol_all(at, district, people, line, dry=dry_run)
    )


@member.command
def leave(name: str, /, *, profile: Profile, district: District, to: int) -> int:
    """End a membership at an instant."""
    document = {"schema": "leave/1", "member": name, "to": to}
    return _change(profile, district, "membership:Leave", document)


@member.command
def occupy(file: Path, /, *, profile: Profile, district: District) -> int:
    """A member moves in: FILE is the occupancy/1 the member signed."""
    return _change(profile, district, "membership:Occupy", read_document(file))


@member.command
def vacate(file: Path, /, *, profile: Profile, district: District) -> int:
    """A member moves out: FILE is a vacate/1."""
    return _change(profile, district, "membership:Vacate", read_document(file))


@member.command(name="show")
def show_member(name: str, /, *, profile: Profile, district: District) -> int:
    """A member's public entry by its pseudonym."""
    return _query(profile, definition_of(district), "membership:GetMember", name)


@participation.command
def put(file: Path, /, *, profile: Profile, district: District) -> int:
    """Begin or end a site's share in a district: FILE is a participation/1."""
    return _change(profile, district, "membership:Participate", read_document(file), argument=True)


@participation.command(name="show")
def show_participation(site: str, /, *, profile: Profile, district: District) -> int:
    """A site's shares by its name or pseudonym."""
    return _query(profile, definition_of(district), "membership:GetParticipations", site)


@decision.command(name="show")
def show_decision(district: str, /, *, profile: Profile) -> int:
    """The change of a district that waits, its hash, and who has agreed."""
    return _query(profile, "registry", "GetProposal", district)


@decision.command
def approve(
    district: str, /, *, profile: Profile, digest: Annotated[str, Parameter(name="--hash")]
) -> int:
    """Agree to the change with this hash, as the operator of a district."""
    from pedchain_gateway.registering import registry

    return _act(profile, lambda at: registry.approve(at, district, digest))


def _lines(file: Path) -> list[bytes]:
    """A bounded file's lines; ends the command where it cannot be read."""
    from pedchain_gateway import limits

    try:
        with file.open("rb") as opened:
            return opened.read(limits.REGISTRATION_FILE_BYTES_MAX).splitlines()
    except OSError as error:
        raise SystemExit(fail(f"{file}: {error.strerror}")) from error


def _change(
    profile: Path, district: str, function: str, document: Document, *, argument: bool = False
) -> int:
    from pedchain_gateway.registering import registry

    async def work(ledger: Ledger) -> Document:
        await registry.call(ledger, district, function, argument=argument, document=document)
        return {"district": district, "done": function.rpartition(":")[2]}

    return _act(profile, work)


def _query(profile: Path, definition: str, function: str, *arguments: str) -> int:
    from pedchain_gateway.registering import registry

    return _act(profile, lambda ledger: registry.ask(ledger, definition, function, *arguments))


def _act(profile: Path, work: Work) -> int:
    """Run the work on the ledger; print what it found, or the reason it was refused for."""
    from pedchain_gateway.registering.registry import ClaimRefused

    async def act(ledger: Ledger) -> None:
        line(json.dumps(await work(ledger), sort_keys=True))

    try:
        return on_ledger(profile, "gateway", act)
    except ClaimRefused:
        return fail("claim-refused")
