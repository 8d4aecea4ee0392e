# SPDX-License-Identifier: Apache-2.0
"""Makes domain/pedchain_domain/sim/data/citylearn2022.json.gz from the CityLearn 1.8.0 wheel.

    python tools/citylearn_extract.py CityLearn-1.8.0-py3-none-any.whl

The wheel is read as a zip; nothing of it is installed or run. Values become integers by rounding
once (Wh, micrograms CO2 per Wh, micro-currency per kWh) and are otherwise left as they are, the
faulty ones included. The output is the same bytes for the same wheel.
"""

import csv
import gzip
import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

TARGET = (
    Path(__file__).resolve().parent.parent / "domain/pedchain_domain/sim/data/citylearn2022.json.gz"
)
FOLDER = "citylearn/data/citylearn_challenge_2022_phase_all/"
HOMES = 17


def rows(wheel: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    """One CSV file of the data set."""
    return list(csv.DictReader(io.StringIO(wheel.read(FOLDER + name).decode())))


def home(wheel: zipfile.ZipFile, schema: dict[str, Any], number: int) -> dict[str, Any]:
    """Load and generation of one building in Wh per hour.

    The file gives generation in W per kW installed; the schema gives the kW.
    """
    found = rows(wheel, f"Building_{number}.csv")
    power_kw = schema["buildings"][f"Building_{number}"]["pv"]["attributes"]["nominal_power"]
    return {
        "building": number,
        "pv_w": round(power_kw * 1000),
        "load_wh": [round(float(row["Equipment Electric Power [kWh]"]) * 1000) for row in found],
        "generation_wh": [round(float(row["Solar Generation [W/kW]"]) * power_kw) for row in found],
    }


def main() -> int:
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        schema = json.loads(wheel.read(FOLDER + "schema.json"))
        carbon = rows(wheel, "carbon_intensity.csv")
        price = rows(wheel, "pricing.csv")
        extract = {
            "schema": "citylearn-extract/1",
            "homes": [home(wheel, schema, number) for number in range(1, HOMES + 1)],
            "carbon_ug_per_wh": [round(float(row["kg_CO2/kWh"]) * 1_000_000) for row in carbon],
            "price_ucur_per_kwh": [
                round(float(row["Electricity Pricing [$]"]) * 1_000) * 1_000 for row in price
            ],
        }
    raw = json.dumps(extract, separators=(",", ":"), sort_keys=True).encode()
    TARGET.write_bytes(gzip.compress(raw, mtime=0))
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
