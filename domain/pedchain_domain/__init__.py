# SPDX-License-Identifier: Apache-2.0
"""Energy accounting for Positive Energy Districts: readings, intervals, indicators, verdicts; pure functions."""
