# SPDX-License-Identifier: Apache-2.0
"""The one form the participation API takes: a single file under a known name (RFC 7578)."""

import re

_BOUNDARY = re.compile(r"boundary=\"?([0-9a-zA-Z'()+_./:=?-]{1,70})\"?", re.IGNORECASE)
_NAME = re.compile(rb'\bname="([^"]*)"')


class FormRefused(Exception):  # noqa: N818 - it names an answer, not a fault
    """The body is not the form that was asked for; the text is Fabric's."""


def single_file(content_type: str, body: bytes, key: str, limit: int) -> bytes:
    """The content of the form's only part, which must be a file named `key`.

    Raises FormRefused.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise FormRefused("cannot read form from request body: multipart: boundary is empty")
    if len(body) > limit:
        raise FormRefused("cannot read form from request body: http: request body too large")
    parts = _parts(body, b"--" + boundary[1].encode("latin-1"))
    files = {name: content for name, is_file, content in parts if is_file}
    if key not in files:
        raise FormRefused(f"form does not contains part key: {key}")
    if len(parts) != 1:
        raise FormRefused("form contains too many parts")
    return files[key]


def _parts(body: bytes, delimiter: bytes) -> list[tuple[str, bool, bytes]]:
    """Name, whether it is a file, and content of each part."""
    pieces = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise FormRefused("cannot read form from request body: multipart: NextPart: EOF")
    found = []
    for piece in pieces[1:-1]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not separator or name is None:
            raise FormRefused("cannot read form from request body: malformed MIME header")
        found.append((name[1].decode("utf-8", "replace"), b"filename=" in head, content))
    return found
