# SPDX-License-Identifier: Apache-2.0
"""Templates to answers, with what a browser is told of their content."""

import json
from typing import Any

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from pedchain_gateway.page import figures
from pedchain_gateway.service.services import services

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
_pages = Environment(
    loader=PackageLoader("pedchain_gateway.page"), autoescape=True, undefined=StrictUndefined
)
_pages.filters |= {
    "kwh": figures.kwh,
    "ratio": figures.ratio,
    "percent": figures.percent,
    "kg": figures.kg,
    "at": figures.at,
    "price": figures.price,
    "words": lambda text: str(text).replace("_", " ").replace("-", " "),
    "document": lambda value: json.dumps(value, indent=1, sort_keys=True),
}


def page(request: Request, name: str, status: int = 200, /, **content: Any) -> Response:
    """A page. What a person sees alone is kept by nobody else, and not by the browser."""
    known = services(request)
    shown = {
        "districts": sorted(known.config.districts),
        "entered": "pedchain" in request.cookies,
        "channel": known.channel,
        **content,
    }
    text = _pages.get_template(f"{name}.html").render(shown)
    kept = "no-store" if shown["entered"] else "max-age=10"
    headers = {**HEADERS, "cache-control": kept}
    return Response(text, status, headers=headers, media_type="text/html; charset=utf-8")


def style() -> Response:
    """The one style sheet."""
    text = _pages.get_template("style.css").render()
    headers = {**HEADERS, "cache-control": "max-age=3600"}
    return Response(text, headers=headers, media_type="text/css; charset=utf-8")
