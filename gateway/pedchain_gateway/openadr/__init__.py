# SPDX-License-Identifier: Apache-2.0
"""Orders in the words of OpenADR 3."""
