# SPDX-License-Identifier: Apache-2.0
"""What `_lifecycle` refuses."""


class LifecycleRefused(Exception):  # noqa: N818 - it names an answer, not a fault
    """The call cannot be carried out; the text is Fabric's."""


class NotFound(LifecycleRefused):
    """What was asked for does not exist: status 404 instead of 500."""
