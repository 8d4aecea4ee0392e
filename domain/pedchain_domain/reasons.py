# SPDX-License-Identifier: Apache-2.0
"""Stable reason codes, and the one status byte each has in a public response.

A response on the ledger is public, so it carries a byte per position and no identifier (blueprint
1). Slugs and bytes are never renumbered; new ones are appended. A library's message never becomes
a result: whatever is not one of these reasons is an error that ends the call.
"""

from enum import StrEnum


class Reason(StrEnum):
    """What became of a record, or why input was refused."""

    # a record, as answered by SubmitReadings
    RECORDED = "recorded"
    NOT_CERTIFIABLE = "recorded-not-certifiable"
    MALFORMED_RECORD = "malformed-record"
    RECORD_TOO_LARGE = "record-too-large"
    BAD_SIGNATURE = "bad-signature"
    MALFORMED_SIGNATURE = "malformed-signature"
    ALGORITHM_MISMATCH = "algorithm-mismatch"
    UNKNOWN_DEVICE = "unknown-device"
    KEY_METER_MISMATCH = "key-meter-mismatch"
    WRONG_DOMAIN = "wrong-domain"
    REVOKED_KEY = "revoked-key"
    COUNTER_BEFORE_FIRST = "counter-before-first"
    IN_THE_FUTURE = "in-the-future"
    NOT_INSTALLED = "not-installed"
    # what the fold finds when a period is complete
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    COUNTER_TOO_OLD = "counter-too-old"
    NO_CALENDAR = "no-calendar"
    # why a reading of an authentic record cannot be certified (rules R1)
    TRANSACTION_CONTEXT = "transaction-context"
    CLOCK_NOT_SYNCHRONISED = "clock-not-synchronised"
    METER_STATUS = "meter-status"
    ERROR_FLAG = "error-flag"
    UNMAPPED_REGISTER = "unmapped-register"
    UNKNOWN_UNIT = "unknown-unit"
    MALFORMED_REGISTER = "malformed-register"
    SUBSTITUTE_WITHOUT_AUTHORITY = "substitute-without-authority"
    # findings of the day's close
    SPIKE = "spike"
    DECREASE = "decrease"
    ROLLOVER = "rollover"
    IMPLAUSIBLE_SITE = "implausible-site"
    SOURCES_DIFFER = "sources-differ"
    # documents, batches, canonical bytes
    MALFORMED_JSON = "malformed-json"
    NOT_CANONICAL = "not-canonical"
    DUPLICATE_KEY = "duplicate-key"
    NOT_AN_INTEGER = "not-an-integer"
    TOO_DEEP = "too-deep"
    TOO_LARGE = "too-large"
    MALFORMED_ID = "malformed-id"
    MALFORMED_TIME = "malformed-time"
    MALFORMED_BATCH = "malformed-batch"
    MALFORMED_DOCUMENT = "malformed-document"
    MALFORMED_KEY = "malformed-key"
    ALREADY_REGISTERED = "already-registered"
    UNKNOWN_DAY = "unknown-day"
    NOT_CONSECUTIVE = "not-consecutive"
    # why a number is not printed, or a verdict is not positive
    ZERO_DENOMINATOR = "zero-denominator"
    MISSING_FACTOR = "missing-factor"
    GROUP_TOO_SMALL = "group-too-small"
    COMPLEMENTARY = "complementary"
    DIFFERENCING = "differencing"
    LOW_PROFILE_COVERAGE = "low-profile-coverage"
    SCOPE_UNKNOWN = "scope-unknown"
    # what happens to devices, members and shares after they were registered
    SUSPENDED = "suspended"
    WRONG_STATE = "wrong-state"
    OVERLAPS = "overlaps"
    SHARES_EXCEED = "shares-exceed"
    # debits and certificates of origin
    WRONG_COUNTER = "wrong-counter"
    UNKNOWN_ACCOUNT = "unknown-account"
    UNKNOWN_ACTION = "unknown-action"
    NOT_OWNER = "not-owner"
    WRONG_ZONE = "wrong-zone"
    RECEIPT_MISSING = "receipt-missing"
    UNDERLYING_NOT_CANCELLED = "underlying-not-cancelled"
    BEYOND_CONSUMPTION = "beyond-consumption"
    BEYOND_CHARGE = "beyond-charge"
    # charging transactions, district plausibility
    OVERLAPPING = "overlapping-transaction"
    FEEDER_MISSING = "feeder-missing"
    NOT_ALL_MEMBERS = "not-all-members"
    # tokens, orders, sessions, settlement
    UNKNOWN_TOKEN = "unknown-token"
    LENGTHS_DIFFER = "lengths-differ"
    DUPLICATE_TOKEN = "duplicate-token"
    BAD_QUANTITY = "bad-quantity"
    BAD_PRICE = "bad-price"
    TOO_MANY = "too-many"
    PAST_HOUR = "past-hour"
    TOO_EARLY = "too-early"
    TOO_LATE = "too-late"
    CLOCK_BACKWARDS = "clock-backwards"
    INSUFFICIENT_FUNDS = "insufficient-funds"
    BEYOND_LIMIT = "beyond-limit"
    BOTH_SIDES = "both-sides"
    PRICE_JUMP = "price-jump"
    NOT_MEASURED = "not-measured"
    COUNTED_TWICE = "counted-twice"
    UNBALANCED = "unbalanced"
    # demand response
    UNKNOWN_BASELINE = "unknown-baseline"
    DIRECTION_REFUSED = "direction-refused"
    TOO_FEW_DAYS = "too-few-days"
    NOTICE_TOO_LONG = "notice-too-long"
    INDIVISIBLE_POWER = "indivisible-power"
    PENALTY_TOO_HIGH = "penalty-too-high"
    BEYOND_CAPACITY = "beyond-capacity"
    OUTSIDE_DAY = "outside-day"
    PROTECTED = "protected"
    LOW_ACCURACY = "low-accuracy"


_BYTES = {reason: number for number, reason in enumerate(Reason)}
_REASONS = tuple(Reason)


def status_of(reason: Reason) -> int:
    """The status byte (0..255) of a reason; 0 is `recorded`, 1 `recorded-not-certifiable`."""
    return _BYTES[reason]


def reason_of(status: int) -> Reason:
    """The reason of a status byte; IndexError for a byte nobody has assigned."""
    return _REASONS[status]


class DomainError(ValueError):
    """Input that a rule refuses. `reason` is stable; the text is the reason and our own detail."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
