# SPDX-License-Identifier: Apache-2.0
"""A meter operator's files become the DSO's signed records."""
