# SPDX-License-Identifier: Apache-2.0
"""Homes to try things with: measured ones (CityLearn) and generated ones. No contract reaches this."""
