# SPDX-License-Identifier: Apache-2.0
"""How long certificates and revocation lists are still good.

Fabric tells nobody: it has no metric of it, and logs a warning a week ahead. A node whose
certificate has expired is out, and so is a consenter that others still list with an old one.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from pedchain_network.limits import EXPIRY_FAIL_DAYS, EXPIRY_WARN_DAYS
from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn

CHECK = "certificates"

_RENEW = "ped-network cert renew"


@dataclass(frozen=True, slots=True)
class Dated:
    """A certificate or a revocation list, and the places it was found in. `id` is its digest."""

    id: str
    places: tuple[str, ...]
    begins: datetime.datetime
    ends: datetime.datetime
    is_list: bool = False

    def days(self, now: datetime.datetime) -> float:
        """Days left, negative once over."""
        return (self.ends - now).total_seconds() / 86_400


def read(data: bytes, place: str) -> list[Dated]:
    """Every certificate and revocation list in PEM; other content is passed over.

    Raises `ValueError` for a damaged one.
    """
    found = []
    if b"-----BEGIN CERTIFICATE-----" in data:
        for certificate in x509.load_pem_x509_certificates(data):
            digest = certificate.fingerprint(hashes.SHA256()).hex()
            ends = certificate.not_valid_after_utc
            found.append(Dated(digest, (place,), certificate.not_valid_before_utc, ends))
    if b"-----BEGIN X509 CRL-----" in data:
        revoked = x509.load_pem_x509_crl(data)
        ends = revoked.next_update_utc or datetime.datetime.max.replace(tzinfo=datetime.UTC)
        digest = revoked.fingerprint(hashes.SHA256()).hex()
        found.append(Dated(digest, (place,), revoked.last_update_utc, ends, is_list=True))
    return found


def merge(found: Iterable[Dated]) -> list[Dated]:
    """The same certificate in several places becomes one."""
    merged: dict[str, Dated] = {}
    for each in found:
        known = merged.get(each.id)
        merged[each.id] = (
            each if known is None else replace(each, places=known.places + each.places)
        )
    return list(merged.values())


def judge(found: Iterable[Dated], now: datetime.datetime) -> list[Finding]:
    """Nothing ended, ends soon, or has not begun."""
    ordered = sorted(merge(found), key=lambda each: each.ends)
    findings = [finding for each in ordered if (finding := _one(each, now)) is not None]
    return findings or [_summary(ordered, now)]


def _one(each: Dated, now: datetime.datetime) -> Finding | None:
    days = each.days(now)
    subject = _places(each.places)
    fix = "sign a new revocation list, put it into the channel" if each.is_list else _RENEW
    if each.begins > now:
        return fail(
            CHECK, subject, f"not valid before {_time(each.begins)}", "set the clock, or " + fix
        )
    if days < 0:
        return fail(CHECK, subject, f"ended {_time(each.ends)}, {-days:.1f} days ago", fix)
    if days < EXPIRY_WARN_DAYS:
        finding = fail if days < EXPIRY_FAIL_DAYS else warn
        return finding(CHECK, subject, f"ends {_time(each.ends)}, in {days:.1f} days", fix)
    return None


def _summary(ordered: Sequence[Dated], now: datetime.datetime) -> Finding:
    if not ordered:
        return warn(CHECK, "", "none was found", "run it where the network's state lies (--state)")
    first = ordered[0]
    return ok(
        CHECK,
        f"{len(ordered)} certificates and revocation lists, on disk and in the channel; the first "
        f"to end: {_places(first.places)}, in {first.days(now):.0f} days",
    )


def _places(places: Sequence[str]) -> str:
    return places[0] + (f" (and {len(places) - 1} more places)" if len(places) > 1 else "")


def _time(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")
