# SPDX-License-Identifier: Apache-2.0
"""Registration: everything in the order the contracts need, and harmless when repeated."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pedchain_domain import canonical
from pedchain_gateway import limits
from pedchain_gateway.ledger.port import (
    Announce,
    Committed,
    Invalid,
    Mismatch,
    Refused,
    Unavailable,
    Unknown,
)
from pedchain_gateway.ledger.steps import submit_step
from pedchain_gateway.registering.register import RegistrationError, load, register


@dataclass
class Registry:
    """Keeps what is put."""

    held: dict[tuple[str, str], bytes] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    registered: list[Any] = field(default_factory=list)
    trouble: list[Exception] = field(default_factory=list)

    async def evaluate(self, definition: str, function: str, *arguments: str) -> bytes:
        assert definition == "registry"
        try:
            return self.held[function.removeprefix("Get"), arguments[0]]
        except KeyError:
            raise Refused("not-found") from None

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
        self.calls.append((definition, function))
        if function == "Register":
            assert transient is not None
            assert arguments == ("",)  # names reach no block
            assert len(transient["salt"]) == limits.SALT_BYTES
            self.registered += json.loads(transient["documents"])
        elif function == "PutDistrict":
            document = json.loads(arguments[0])
            self.held["District", document["id"]] = arguments[0].encode()
        elif function not in ("Adopt", "ExchangeMeter"):
            self.held[function.removeprefix("Put"), arguments[0]] = arguments[1].encode()
        return Committed("tx", b"")

    async def outcome(self, transaction: str) -> None:
        raise AssertionError("not asked")

    async def height(self) -> int:
        raise AssertionError("not asked")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "registration.json"
    path.write_text(
        json.dumps(
            {
                "factors": [{"schema": "factors/1", "version": "v1"}],
                "calendars": [{"schema": "calendar/1", "id": "local", "rows": []}],
                "districts": [{"schema": "district/1", "id": "DistrictA"}],
                "documents": {
                    "DistrictA": [{"schema": "site/1", "id": f"s{n}"} for n in range(450)]
                },
            },
            indent=2,
        )
    )
    return path


async def test_everything_is_put_in_the_order_the_contracts_need(file: Path) -> None:
    ledger, said = Registry(), []
    await register(ledger, load(file), said.append)
    assert ledger.calls == [
        ("registry", "PutFactors"),
        ("registry", "PutCalendar"),
        ("registry", "PutDistrict"),
        ("metering-DistrictA", "Adopt"),
        ("metering-DistrictA", "Register"),
        ("metering-DistrictA", "Register"),
        ("metering-DistrictA", "Register"),
    ]
    assert len(ledger.registered) == 450
    assert said[-1] == "DistrictA 450 of 450 documents registered"
    assert ledger.held["Factors", "v1"] == canonical.encode(
        {"schema": "factors/1", "version": "v1"}
    )


async def test_the_registry_is_left_alone_where_it_holds_the_same(file: Path) -> None:
    ledger, said = Registry(), []
    await register(ledger, load(file), said.append)
    ledger.calls.clear()
    await register(ledger, load(file), said.append)
    assert {function for _, function in ledger.calls} == {"Adopt", "Register"}
    assert "district DistrictA unchanged" in said


async def test_exchanges_follow_the_devices_they_name(tmp_path: Path) -> None:
    exchange = {"schema": "exchange/1", "old": "m1", "new": "m2"}
    documents = {"DistrictA": [exchange, {"schema": "device/1", "id": "m2"}]}
    (tmp_path / "r.json").write_text(json.dumps({"documents": documents}))
    ledger, said = Registry(), []
    await register(ledger, load(tmp_path / "r.json"), said.append)
    assert [function for _, function in ledger.calls] == ["Register", "ExchangeMeter"]
    assert said[-1] == "DistrictA meter m1 exchanged for m2"


async def test_a_peer_that_lags_is_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was just committed may be unknown to another endorser for a moment."""
    monkeypatch.setattr(limits, "STEP_PAUSE_S", 0.0)
    ledger = Registry(trouble=[Mismatch("lag"), Invalid("tx", "MVCC_READ_CONFLICT")])
    ledger.trouble += [Unknown("tx")]
    await register(ledger, load(file), lambda _: None)
    assert len(ledger.registered) == 450


@pytest.mark.parametrize("reason", ["not-in-registry", "not-permitted"])
async def test_only_refusals_that_pass_are_waited_for(
    reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "STEP_PAUSE_S", 0.0)
    ledger = Registry(trouble=[Refused(reason)])
    step = submit_step(ledger, "metering-D", "Adopt", "D", lagging=["not-in-registry"])
    if reason == "not-permitted":
        with pytest.raises(Refused, match=reason):
            await step
    else:
        assert await step == b""


async def test_a_peer_that_refuses_what_ours_does_not_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "STEP_PAUSE_S", 0.0)
    ledger = Registry(trouble=[Refused("not-attached", elsewhere=True)])
    assert await submit_step(ledger, "metering-D", "Adopt", "D") == b""


async def test_waiting_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "STEP_PAUSE_S", 0.0)
    ledger = Registry(trouble=[Mismatch("for ever")] * 100)
    with pytest.raises(Unavailable, match="for ever"):
        await submit_step(ledger, "metering-D", "Adopt", "D")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "must be one object"),
        ("{", "malformed-json"),
        ('{"sites": []}', "sites is not known"),
        ('{"factors": {}}', "factors must be an array"),
        ('{"documents": []}', "documents must be an object"),
        ('{"documents": {"A": [1]}}', "A must be an array of documents"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(RegistrationError, match=message):
        load(tmp_path / "r.json")
    with pytest.raises(RegistrationError, match="No such file"):
        load(tmp_path / "none.json")
