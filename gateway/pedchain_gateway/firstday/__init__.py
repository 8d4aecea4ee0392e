# SPDX-License-Identifier: Apache-2.0
"""From a folder of spreadsheets to a district's first certificate."""
