# SPDX-License-Identifier: Apache-2.0
"""Register files: what a line says is what is signed, and what cannot be trusted is a fault."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from emsagent import records
from emsagent.config import Config, DeviceConfig, DriverConfig
from emsagent.drivers import Register, Sample, open_driver
from emsagent.drivers.csvfile import RegisterFile
from emsagent.drivers.replay import Replay
from emsagent.errors import ConfigError, DriverFault
from pedchain_domain import ocmf, transactions

HEADER = "instant,1-0:1.8.0*255/Wh,1-0:2.8.0*255/kWh\n"


def read(path: Path, text: str, after: int | None = None, until: int = 1 << 40) -> list[Sample]:
    path.write_text(text)
    return list(RegisterFile(path).samples(after, until))


def test_values_pass_through_as_text(tmp_path: Path) -> None:
    (sample,) = read(tmp_path / "f.csv", HEADER + "900,1000,0.1000\n")
    assert sample == Sample(
        900,
        "S",
        (Register("1-0:1.8.0*255", "1000", "Wh"), Register("1-0:2.8.0*255", "0.1000", "kWh")),
    )


def test_an_empty_value_is_a_register_the_meter_did_not_give(tmp_path: Path) -> None:
    (sample,) = read(tmp_path / "f.csv", HEADER + "900,,2\n")
    assert [register.obis for register in sample.registers] == ["1-0:2.8.0*255"]


CHARGER = "instant,1-0:1.8.0*255/Wh,reason\n"


def test_a_transaction_is_one_record_from_its_begin_to_its_end(tmp_path: Path) -> None:
    """Rules R7; one that has not ended waits for its end."""
    text = CHARGER + "900,1000,B\n3600,1200,C\n4000,1300,E\n7000,1300,B\n7200,1400,C\n"
    samples = read(tmp_path / "f.csv", text)
    assert [[one.reason for one in chunk] for chunk in records.chunks(samples, 1)] == [
        ["B", "C", "E"]
    ]


def test_a_charger_signs_transactions(tmp_path: Path) -> None:
    samples = read(tmp_path / "f.csv", CHARGER + "900,1000,B\n4000,1300,E\n")
    device = DeviceConfig("charger", "m", DriverConfig("csv", {}, "", tmp_path))
    config = Config(tmp_path, "net", "ch", {}, ())
    unsigned = records.payload(config, device, 3, samples)
    record = ocmf.parse(ocmf.sign(unsigned, ec.generate_private_key(ec.SECP256R1())))
    assert (record.context, record.counter) == ("T", 3)
    assert [(one.reason, one.register) for one in record.readings] == [("B", "1000"), ("E", "1300")]
    assert transactions.is_whole(record)


def test_a_reason_that_ocmf_does_not_know_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DriverFault, match="reason"):
        read(tmp_path / "f.csv", CHARGER + "900,1000,Q\n")


def test_transactions_are_not_repeated(tmp_path: Path) -> None:
    """Laid end to end a file would begin in the middle of one."""
    path = tmp_path / "f.csv"
    path.write_text(CHARGER + "900,1000,B\n4000,1300,E\n")
    with pytest.raises(DriverFault, match="no transactions"):
        list(Replay(RegisterFile(path)).samples(0, 10_000))


def test_the_time_status_is_the_files(tmp_path: Path) -> None:
    text = "instant,1-0:1.8.0*255/Wh,sync\n900,1,S\n1800,2,U\n"
    assert [sample.sync for sample in read(tmp_path / "f.csv", text)] == ["S", "U"]


@pytest.mark.parametrize("value", ["-1", "1e3", "NaN", "1,5", " 1", "1.1234567", "0x10", "١"])
def test_what_is_no_register_value_is_a_fault(tmp_path: Path, value: str) -> None:
    with pytest.raises(DriverFault):
        read(tmp_path / "f.csv", f"{HEADER}900,{value},2\n")


@pytest.mark.parametrize("text", ["", "time,1-0:1.8.0*255/Wh\n", "instant,power/W\n", "instant\n"])
def test_a_wrong_first_line_is_a_fault(tmp_path: Path, text: str) -> None:
    with pytest.raises(DriverFault, match="header"):
        read(tmp_path / "f.csv", text)


def test_lines_that_do_not_ascend_are_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DriverFault, match="order"):
        read(tmp_path / "f.csv", HEADER + "900,1,1\n900,1,1\n")


def test_a_missing_column_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DriverFault, match="columns"):
        read(tmp_path / "f.csv", HEADER + "900,1\n")


@given(
    instants=st.lists(st.integers(0, 10**9), unique=True, max_size=400).map(sorted),
    after=st.none() | st.integers(0, 10**9),
    until=st.integers(0, 10**9),
)
def test_bisection_finds_what_a_whole_read_finds(
    tmp_path_factory: pytest.TempPathFactory,
    instants: list[int],
    after: int | None,
    until: int,
) -> None:
    """Files longer than one line's limit are read from the middle, with the same result."""
    path = tmp_path_factory.mktemp("registers") / "f.csv"
    text = HEADER + "".join(f"{instant},{instant},00000.000000\n" for instant in instants)
    found = [sample.instant for sample in read(path, text, after, until)]
    assert found == [one for one in instants if (after is None or one > after) and one <= until]


def test_an_unknown_driver_is_named_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"home\[0\]\.driver\.kind: 'modem' is not one of"):
        open_driver(DriverConfig("modem", {}, "home[0].driver", Path()))


def test_a_driver_refuses_settings_it_does_not_know(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text(HEADER)
    settings = {"file": "f.csv", "fiel": "g.csv"}
    with pytest.raises(ConfigError, match=r"driver\.fiel"):
        open_driver(DriverConfig("csv", settings, "driver", tmp_path))


def replay(tmp_path: Path, text: str) -> Replay:
    (tmp_path / "f.csv").write_text(text)
    return Replay(RegisterFile(tmp_path / "f.csv"))


def test_a_replay_goes_on_counting_where_the_file_ends(tmp_path: Path) -> None:
    """Two turns of [0, 1800]: the energy of each interval is the file's."""
    text = "instant,1-0:1.8.0*255/kWh\n0,10.00\n900,10.25\n1800,11.00\n"
    found = list(replay(tmp_path, text).samples(0, 3600))
    assert [(one.instant, one.registers[0].text) for one in found] == [
        (900, "10.25"),
        (1800, "11.00"),
        (2700, "11.25"),
        (3600, "12.00"),
    ]


def test_a_fresh_agent_begins_with_the_newest_sample_of_a_replay(tmp_path: Path) -> None:
    text = "instant,1-0:1.8.0*255/Wh\n0,0\n900,5\n1800,7\n"
    driver = replay(tmp_path, text)
    (sample,) = driver.samples(None, 1_000_000)
    assert sample.instant == 999_900
    assert sample.registers[0].text == str(7 * 555 + 5)
    assert list(driver.samples(999_900, 999_901)) == []


@given(after=st.integers(0, 20_000), more=st.integers(0, 20_000))
def test_a_replay_in_parts_is_the_replay_in_one(
    tmp_path_factory: pytest.TempPathFactory, after: int, more: int
) -> None:
    text = "instant,1-0:1.8.0*255/Wh\n900,1\n1800,3\n2700,3\n"
    driver = replay(tmp_path_factory.mktemp("replay"), text)
    whole = list(driver.samples(900, 40_000))
    parts = [
        *driver.samples(900, after),
        *driver.samples(max(after, 900), after + more),
        *driver.samples(max(after + more, 900), 40_000),
    ]
    assert parts == whole
    values = [int(one.registers[0].text) for one in whole]
    assert values == sorted(values)


@pytest.mark.parametrize("text", [HEADER + "900,1,1\n", HEADER + "900,1,1\n1800,,2\n"])
def test_a_file_that_cannot_be_repeated_is_a_fault(tmp_path: Path, text: str) -> None:
    with pytest.raises(DriverFault, match="replay"):
        list(replay(tmp_path, text).samples(0, 10_000))
