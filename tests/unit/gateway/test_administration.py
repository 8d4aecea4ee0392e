# SPDX-License-Identifier: Apache-2.0
"""The registry's commands: what they send and keep back, and what they say of a refusal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from pedchain_domain import canonical, members, onboarding
from pedchain_gateway import limits
from pedchain_gateway.cli import app
from pedchain_gateway.ledger import fabric
from pedchain_gateway.ledger.port import Announce, Committed, LedgerError, Refused, Unavailable
from pedchain_gateway.registering import registry
from pedchain_gateway.registering.registry import ClaimRefused

IDENTITY = {"schema": "identity/1", "salt": "ab" * 16, "name": "Ann Example"}
MEMBERSHIP = {
    "schema": "membership/1",
    "identity": members.identity_digest(IDENTITY),
    "key": {"spki": "00ff"},
}


@dataclass
class Ledger:
    """Keeps what is sent; answers queries from a table."""

    answers: dict[str, Any] = field(default_factory=dict)
    trouble: list[LedgerError] = field(default_factory=list)
    sent: list[tuple[str, tuple[str, ...], dict[str, bytes]]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        if self.trouble:
            raise self.trouble.pop(0)
        return canonical.encode(self.answers[function])

    async def submit(
        self,
        definition: str,
        function: str,
        *arguments: str,
        transient: Mapping[str, bytes] | None = None,
        announce: Announce | None = None,
    ) -> Committed:
        if self.trouble:
            raise self.trouble.pop(0)
        self.sent.append((function, arguments, dict(transient or {})))
        return Committed("tx", b"")


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """The ledger that commands open."""
    made = Ledger()

    async def opened(path: Path, user: str) -> Ledger:
        return made

    monkeypatch.setattr(fabric, "open_ledger", opened)
    monkeypatch.setattr(limits, "STEP_PAUSE_S", 0.0)
    return made


def run(*words: str) -> int:
    """The exit code of a command, run as the program does."""
    command = [*words, "--profile", "p.json"]
    try:
        return int(app(command, result_action="return_value") or 0)
    except SystemExit as ended:
        return 2 if isinstance(ended.code, str) else int(ended.code or 0)


def wrote(folder: Path, name: str, document: object) -> str:
    (folder / name).write_text(json.dumps(document))
    return str(folder / name)


async def test_a_code_is_made_here_and_only_its_digest_is_sent() -> None:
    ledger = Ledger({"GetFence": {"period": 4}})
    offered = await registry.offer_claim(ledger, "A", {"schema": "device/1", "id": "SN-1"}, 3)
    (function, arguments, transient), *more = ledger.sent
    claim = json.loads(transient["document"])
    assert (function, arguments, more) == ("membership:OfferClaim", (), [])
    assert claim["code"] == onboarding.code_digest(offered["claim"], offered["code"])
    assert claim["through"] == offered["through"] == 7
    assert not any(offered["code"].encode() in value for value in transient.values())
    assert len(offered["code"]) == 32
    again = await registry.offer_claim(ledger, "A", {"schema": "device/1", "id": "SN-1"}, 3)
    assert again["code"] != offered["code"]


@pytest.mark.fault(14)
async def test_a_claim_that_is_not_taken_is_refused_without_a_reason() -> None:
    ledger = Ledger({"membership:GetClaim": {"state": "open"}})
    with pytest.raises(ClaimRefused):
        await registry.take_claim(ledger, "A", "c", "CODE", {})
    assert [function for function, _, _ in ledger.sent] == [
        "membership:PresentClaim",
        "membership:SettleClaim",
    ]
    with pytest.raises(ClaimRefused):
        await registry.take_claim(Ledger(trouble=[Refused("claim-refused")]), "A", "c", "X", {})
    with pytest.raises(Refused, match="not-permitted"):
        await registry.take_claim(Ledger(trouble=[Refused("not-permitted")]), "A", "c", "X", {})


async def test_an_identity_another_than_was_signed_is_never_sent() -> None:
    ledger = Ledger()
    with pytest.raises(Refused, match="identity-mismatch"):
        await registry.enrol(ledger, "A", MEMBERSHIP, {**IDENTITY, "name": "Bob"})
    assert ledger.sent == []


async def test_what_is_agreed_to_is_what_was_read() -> None:
    ledger = Ledger({"GetProposal": {"document": {"rule": "R2"}}})
    with pytest.raises(Refused, match="hash-mismatch"):
        await registry.approve(ledger, "A", "0" * 64)
    assert ledger.sent == []


@pytest.mark.parametrize(
    ("words", "function", "document"),
    [
        (
            ("device", "suspend", "SN-1", "--since", "7"),
            "SuspendDevice",
            {"schema": "suspend/1", "device": "SN-1", "from": 7},
        ),
        (
            ("device", "resume", "SN-1", "--at", "9"),
            "ResumeDevice",
            {"schema": "resume/1", "device": "SN-1", "at": 9},
        ),
        (
            ("device", "revoke", "SN-1", "--counter", "5", "--since", "3"),
            "RevokeKey",
            {"schema": "revoke/1", "device": "SN-1", "counter": 5, "compromised_since": 3},
        ),
        (
            ("member", "leave", "p.1", "--to", "4"),
            "membership:Leave",
            {"schema": "leave/1", "member": "p.1", "to": 4},
        ),
    ],
)
def test_names_travel_in_the_transient_map_alone(
    ledger: Ledger, words: tuple[str, ...], function: str, document: dict[str, Any]
) -> None:
    assert run(*words, "--district", "A") == 0
    ((called, arguments, transient),) = ledger.sent
    assert called == function
    assert json.loads(transient["document"]) == document
    assert len(transient["salt"]) == limits.SALT_BYTES
    assert set(arguments) <= {""}


@pytest.mark.parametrize(
    ("words", "function"),
    [
        (("device", "rotate"), "RotateKey"),
        (("member", "occupy"), "membership:Occupy"),
        (("member", "vacate"), "membership:Vacate"),
        (("participation", "put"), "membership:Participate"),
    ],
)
def test_documents_come_from_files(
    ledger: Ledger, tmp_path: Path, words: tuple[str, ...], function: str
) -> None:
    path = wrote(tmp_path, "d.json", {"schema": "x/1"})
    assert run(*words, path, "--district", "A") == 0
    assert [called for called, _, _ in ledger.sent] == [function]


@pytest.mark.parametrize(
    ("words", "function"),
    [
        (("claim", "show", "c", "--district", "A"), "membership:GetClaim"),
        (("device", "show", "SN-1", "--district", "A"), "GetDevice"),
        (("member", "show", "p.1", "--district", "A"), "membership:GetMember"),
        (("participation", "show", "s", "--district", "A"), "membership:GetParticipations"),
        (("decision", "show", "A"), "GetProposal"),
    ],
)
def test_an_answer_is_one_json_line(
    ledger: Ledger, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], function: str
) -> None:
    ledger.answers[function] = {"state": "open"}
    assert run(*words) == 0
    assert json.loads(capsys.readouterr().out) == {"state": "open"}


def test_the_rest_of_the_commands(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.answers |= {
        "GetFence": {"period": 1},
        "membership:GetClaim": {"state": "used"},
        "membership:GetMemberOfKey": {"member": "p.1"},
    }
    device = wrote(tmp_path, "device.json", {"schema": "device/1"})
    (tmp_path / "code").write_text("CODE\n")
    who = wrote(tmp_path, "who.json", IDENTITY)
    joins = wrote(tmp_path, "m.json", MEMBERSHIP)
    for words in (
        ("claim", "offer", device),
        ("claim", "present", "c", device, "--code", str(tmp_path / "code")),
        ("claim", "withdraw", "c"),
        ("member", "add", joins, "--identity", who),
    ):
        assert run(*words, "--district", "A") == 0
    assert ledger.sent[1][2]["code"] == b"CODE"
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"member": "p.1"}


@pytest.mark.parametrize("error", [Refused("wrong-state", "revoked"), Unavailable("no peer")])
def test_a_refusal_is_said_and_the_command_fails(
    ledger: Ledger, capsys: pytest.CaptureFixture[str], error: LedgerError
) -> None:
    ledger.trouble = [error]
    assert run("device", "resume", "SN-1", "--at", "9", "--district", "A") == 1
    assert str(error) in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", "{", '{"a":1.5}', None])
def test_a_file_that_is_no_document_is_named(
    ledger: Ledger, tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / "d.json"
    if text is not None:
        path.write_text(text)
    assert run("member", "occupy", str(path), "--district", "A") == 2
    assert ledger.sent == []
