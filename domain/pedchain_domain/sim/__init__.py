# SPDX-License-Identifier: Apache-2.0
"""Homes to try things with, measured (CityLearn) and generated. No contract reaches this."""
