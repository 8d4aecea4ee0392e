# SPDX-License-Identifier: Apache-2.0
"""What an audit can say went wrong.

AuditError                 never raised itself
  ArchiveError             the folder of blocks cannot be read; nothing was checked
  VerificationError        a check failed: the ledger, or its copy, is not what it claims to be
"""


class AuditError(Exception):
    """Root of the auditor's errors; never raised itself."""


class ArchiveError(AuditError):
    """The archive cannot be read as one; nothing was verified."""


class Broken(Exception):  # noqa: N818 - becomes a VerificationError once the place is known
    """A check that failed in a place that the caller knows; each kind names its check."""

    check = "metering"


class VerificationError(AuditError):
    """A check failed. What precedes the named place was verified, nothing after it was.

    `check` is the check's stable name, `block` and `transaction` the place (a transaction's
    position in its block, or None where the block as a whole is meant).
    """

    def __init__(
        self, check: str, text: str, *, block: int | None = None, transaction: int | None = None
    ) -> None:
        self.check = check
        self.text = text
        self.block = block
        self.transaction = transaction
        super().__init__(f"{self.place}: {check}: {text}")

    @property
    def place(self) -> str:
        """Where, for people: `block 61, transaction 3`."""
        if self.block is None:
            return "archive"
        if self.transaction is None:
            return f"block {self.block}"
        return f"block {self.block}, transaction {self.transaction}"
