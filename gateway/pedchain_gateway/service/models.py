# SPDX-License-Identifier: Apache-2.0
"""The shapes of answers, as OpenAPI documents them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pedchain_gateway.intake.verdict import Status
from pedchain_gateway.service.problems import CONTENT_TYPE


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True)


def misplaced(error: ValidationError) -> str:
    """Where a document is not as it must be; never what stands there."""
    return ", ".join(sorted({".".join(map(str, one["loc"])) for one in error.errors()}))


class Result(_Model):
    """One record's answer."""

    status: Status = Field(
        description="recorded, duplicate, rejected and conflict are final; after unknown and "
        "retry send the same bytes again"
    )
    reason: str = Field(description="Stable slug: why")
    code: int = Field(description="What HTTP would say of this record alone")
    transaction: str | None = Field(description="The transaction that is the record's receipt")


class Results(_Model):
    """Answers in the order of the records. `unknown` lists where to ask for open outcomes."""

    results: list[Result]
    transaction: str | None = Field(
        default=None, description="The one transaction of this request, where there is just one"
    )
    unknown: list[str] = Field(
        default_factory=list, description="Paths to ask for outcomes not known yet"
    )


class Transaction(_Model):
    """What became of a transaction. `status` is committed, invalid or unknown."""

    transaction: str
    status: str
    code: str | None = Field(default=None, description="Fabric's validation code")


class Check(_Model):
    """One thing that was looked at."""

    ok: bool
    detail: str = ""
    height: int | None = None


class Health(_Model):
    """Whether the service can do its work, and what was checked to say so."""

    status: str
    checks: dict[str, Check]


class Certificates(_Model):
    """A page of certificates in order of days; `cursor` leads to the next page."""

    certificates: list[dict[str, Any]]
    cursor: str | None


class Version(_Model):
    """One version of a day's certificate and the transaction that wrote it."""

    transaction: str
    certificate: dict[str, Any]


class History(_Model):
    """All versions of a day's certificate, the newest first."""

    versions: list[Version]


class ProblemBody(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str | None = None
    reason: str | None = None
    transaction: str | None = None
    code: str | None = None


def problem(description: str) -> dict[str, Any]:
    """OpenAPI's entry of an answer that is a problem."""
    schema = ProblemBody.model_json_schema()
    return {"description": description, "content": {CONTENT_TYPE: {"schema": schema}}}


ANY_PROBLEM: dict[int | str, dict[str, Any]] = {"default": problem("Any problem")}
"""The entry of every route: whatever is not listed is a problem too."""
