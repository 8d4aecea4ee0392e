# SPDX-License-Identifier: Apache-2.0
"""What a check found, and all findings together as text and as a document."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """`fail`: something does not work, or may any day. `warn`: it will, or may be dangerous."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names the check, `subject` whom it is about (empty: the network)."""

    check: str
    severity: Severity
    subject: str
    what: str
    remedy: str = ""


def ok(check: str, what: str, subject: str = "") -> Finding:
    """The check found nothing wrong; `what` says what it looked at."""
    return Finding(check, Severity.OK, subject, what)


def warn(check: str, subject: str, what: str, remedy: str) -> Finding:
    """To be mended, but nothing fails of it yet."""
    return Finding(check, Severity.WARN, subject, what, remedy)


def fail(check: str, subject: str, what: str, remedy: str) -> Finding:
    """To be mended now."""
    return Finding(check, Severity.FAIL, subject, what, remedy)


@dataclass(frozen=True, slots=True)
class Report:
    """All findings in the order of the checks."""

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Report":
        """From what the checks found."""
        return cls(tuple(findings))

    @property
    def healthy(self) -> bool:
        """Nothing but `ok`."""
        return all(finding.severity is Severity.OK for finding in self.findings)

    def lines(self) -> list[str]:
        """One line per finding, its remedy below it; what they come to in the last line."""
        width = max((len(finding.check) for finding in self.findings), default=0)
        lines = []
        for finding in self.findings:
            subject = f"{finding.subject}: " if finding.subject else ""
            lines.append(
                f"  {finding.severity:4}  {finding.check:{width}}  {subject}{finding.what}"
            )
            if finding.remedy:
                lines.append(f"  {'':4}  {'':{width}}  fix: {finding.remedy}")
        return [*lines, self._sum()]

    def to_document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "healthy": self.healthy,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def _sum(self) -> str:
        checks = len({finding.check for finding in self.findings})
        counts = [
            f"{count} {severity}"
            for severity in (Severity.FAIL, Severity.WARN)
            if (count := sum(each.severity is severity for each in self.findings))
        ]
        return f"{checks} checks: {', '.join(counts) or 'all is well'}"
