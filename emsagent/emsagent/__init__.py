# SPDX-License-Identifier: Apache-2.0
"""The edge agent: reads meters, signs readings, never loses one."""
