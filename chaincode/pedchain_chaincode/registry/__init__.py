# SPDX-License-Identifier: Apache-2.0
"""The registry: districts, calendars and factor versions, endorsed by the DSO and two others."""
