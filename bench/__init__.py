# SPDX-License-Identifier: Apache-2.0
"""Measurements against named rivals: `make bench NAME=<name>`; the last line is one JSON object."""
