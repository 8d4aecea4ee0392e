# SPDX-License-Identifier: Apache-2.0
"""The report for people: one HTML file that needs nothing else, with plots as inline SVG."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from pedchain_audit import plots, report
from pedchain_audit.errors import VerificationError
from pedchain_audit.verify import Figures

#: Sessions of the market that are listed, the newest.
SESSIONS_MAX = 200


def page(channel: str, figures: Figures | None, error: VerificationError | None = None) -> str:
    """The report of an audit that found nothing wrong, or of the first thing that is."""
    made = Environment(
        loader=PackageLoader("pedchain_audit"), autoescape=True, undefined=StrictUndefined
    )
    course = figures.course if figures else None
    newest = plots.newest(course.certificates) if course else []
    names = sorted({each.district for each in newest})
    sessions = sorted(course.sessions.items())[-SESSIONS_MAX:] if course else []
    return made.get_template("report.html").render(
        channel=channel,
        figures=figures,
        error=error,
        checked=report.checked(figures) if figures else [],
        never=report.NOT_SHOWN,
        bars=plots.bars(course.laps) if course else [],
        districts=[(name, plots.ratios(newest, name)) for name in names],
        newest=newest,
        sessions=[each for _, each in sessions],
    )
