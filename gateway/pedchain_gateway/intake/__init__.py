# SPDX-License-Identifier: Apache-2.0
"""Records in, verdicts out."""
