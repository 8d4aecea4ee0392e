# SPDX-License-Identifier: Apache-2.0
"""Orders as OpenADR 3 events, and what OpenADR 3 reports say, as this ledger's own papers.

An event is one order for one site: modulation by DISPATCH_SETPOINT_RELATIVE, signed kW against what
the site would draw (plus: draw more). Beside it travels PED_DISPATCH, the dispatch as its issuer
signed it, so that a client need not believe whoever brings it. Reports carry what a device signed:
PED_ANSWER (answer/1 with its signature) and PED_OCMF (meter records). A plain READING or USAGE is
nobody's word, and refused. Works with versions 3.0 and 3.1; docs/openadr.md.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pedchain_domain import canonical
from pedchain_domain.flexibility import papers
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.reasons import DomainError
from pedchain_gateway.service.models import misplaced

Document = dict[str, Any]
SETPOINT, DISPATCH = "DISPATCH_SETPOINT_RELATIVE", "PED_DISPATCH"
ANSWER, RECORDS = "PED_ANSWER", "PED_OCMF"
FIRM, OTHER = 0, 1
"""Priorities: 0 is the highest."""


class ReportError(Exception):
    """A report that says nothing the ledger can take; `reason` is a stable slug."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Payload(_Model):
    """A value of an interval, by its type."""

    type: str = Field(min_length=1, max_length=128)
    values: list[Any] = Field(max_length=1_000)


class Interval(_Model):
    """What is said of one interval."""

    id: int
    payloads: list[Payload] = Field(max_length=64)


class Resource(_Model):
    """What is said of one resource."""

    resourceName: str = Field(min_length=1, max_length=128)  # noqa: N815 - OpenADR's name
    intervals: list[Interval] = Field(max_length=1_000)


class Report(_Model):
    """An OpenADR 3 report, as far as it is read."""

    objectType: Literal["REPORT"] = "REPORT"  # noqa: N815 - OpenADR's name
    eventID: str = Field(min_length=1, max_length=128)  # noqa: N815 - OpenADR's name
    clientName: str = Field(min_length=1, max_length=128)  # noqa: N815 - OpenADR's name
    resources: list[Resource] = Field(min_length=1, max_length=64)


class Said(_Model):
    """A report's content: papers of answers, meter records."""

    answers: list[Document]
    records: list[bytes]


def object_id(*parts: str) -> str:
    """An id that OpenADR allows, for ids that it does not."""
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]


def program(district: str) -> Document:
    """A district's orders as a program."""
    return {
        "id": object_id("program", district),
        "createdDateTime": _time(0),
        "modificationDateTime": _time(0),
        "objectType": "PROGRAM",
        "programName": district,
        "payloadDescriptors": _descriptors(),
    }


def event(order: Document, district: str, paper: Document) -> Document:
    """An accepted order {notice, product}, and a site's signed dispatch, as an event."""
    asked = paper["document"]
    sign = -1 if asked["direction"] == Direction.DOWN else 1
    setpoint = {"type": SETPOINT, "values": [sign * asked["power_w"] / 1_000]}
    signed = {"type": DISPATCH, "values": [canonical.encode(paper).decode()]}
    return {
        "id": event_id(asked),
        "createdDateTime": _time(order["notice"]),
        "modificationDateTime": _time(order["notice"]),
        "objectType": "EVENT",
        "programID": object_id("program", district),
        "eventName": asked["order"],
        "priority": FIRM if order["product"] == "firm" else OTHER,
        "payloadDescriptors": _descriptors(),
        "reportDescriptors": [{"payloadType": name} for name in (ANSWER, RECORDS)],
        "intervalPeriod": {
            "start": _time(asked["start"]),
            "duration": f"PT{asked['grain']}S",
            "randomizeStart": "PT0S",
        },
        "intervals": [
            {"id": at, "payloads": [setpoint, signed] if at == 0 else [setpoint]}
            for at in range(asked["count"])
        ],
    }


def event_id(asked: Document) -> str:
    """The id of a dispatch's event."""
    return object_id("event", asked["order"], asked["site"])


def read(data: bytes) -> Report:
    """A report from the wire. Raises `ReportError` `malformed-document`."""
    try:
        return Report.model_validate_json(data)
    except ValidationError as error:
        raise ReportError("malformed-document", misplaced(error)) from error


def said(report: Report) -> Said:
    """What a report says. Raises `ReportError` `malformed-document`, or `unsigned` for payloads
    that carry no device's signature."""
    answers: list[Document] = []
    records: list[bytes] = []
    for payload in _payloads(report):
        texts = [value for value in payload.values if isinstance(value, str)]
        if payload.type not in (ANSWER, RECORDS):
            raise ReportError("unsigned", payload.type)
        if not texts or len(texts) != len(payload.values):
            raise ReportError("malformed-document", payload.type)
        if payload.type == ANSWER:
            answers += [_answer(report, text) for text in texts]
        else:
            records += [text.encode() for text in texts]
    if not answers and not records:
        raise ReportError("malformed-document", "nothing is reported")
    return Said(answers=answers, records=records)


def received(report: Report) -> Document:
    """A report that was taken, as the answer shows it."""
    identifier = object_id("report", report.model_dump_json())
    return {"id": identifier, **report.model_dump(exclude={"resources"}), "resources": []}


def _payloads(report: Report) -> Sequence[Payload]:
    intervals = [one for resource in report.resources for one in resource.intervals]
    return [payload for interval in intervals for payload in interval.payloads]


def _answer(report: Report, text: str) -> Document:
    """A signed answer/1 to the event the report is of."""
    try:
        paper = canonical.decode(text.encode())
        body = papers.opened(paper)
    except DomainError as error:
        raise ReportError("malformed-document", ANSWER) from error
    if not isinstance(body.get("order"), str) or not isinstance(body.get("site"), str):
        raise ReportError("malformed-document", ANSWER)
    if event_id(body) != report.eventID:
        raise ReportError("wrong-domain", "the answer is of another event")
    assert isinstance(paper, dict)
    return paper


def _descriptors() -> list[Document]:
    return [
        {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": SETPOINT, "units": "KW"},
        {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": DISPATCH},
    ]


def _time(instant: int) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
