# SPDX-License-Identifier: Apache-2.0
"""Goal: an engine that says nothing is given up, and that is said. Method: sockets that take
connections, and answer what they are told or never."""

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pedchain_network.errors import RuntimeMissingError
from pedchain_network.runtimes.docker import container, engine

_VERSION = {"ApiVersion": "1.45", "MinAPIVersion": "1.24", "Version": "26.0"}


class Silent(http.server.BaseHTTPRequestHandler):
    """Tells its version, and waits for ever with everything else."""

    ended = threading.Event()
    knows_version = True

    def do_GET(self) -> None:
        if not (self.knows_version and self.path.endswith("/version")):
            self.ended.wait(30)
            return
        body = json.dumps(_VERSION).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def address_string(self) -> str:
        return "unix"


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class Speechless(Silent):
    knows_version = False


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENGINE_TIMEOUT_S", "STATUS_TIMEOUT_S"):
        monkeypatch.setattr(engine, name, 0.2)


@pytest.fixture(params=[Silent, Speechless])
def silent(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[Silent]]:
    path = tmp_path / "engine.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    Silent.ended.clear()
    with Server(str(path), request.param) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield request.param
        Silent.ended.set()
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("quick", "silent")
def test_an_engine_that_does_not_answer_is_given_up_with_a_remedy() -> None:
    with (
        pytest.raises(RuntimeMissingError, match="does not answer within") as raised,
        engine.connected() as connected,
    ):
        connected.containers("ped-00000000")
    assert "restart the engine" in raised.value.fix


@pytest.mark.usefixtures("quick", "silent")
def test_looking_at_containers_says_so_too() -> None:
    with pytest.raises(RuntimeMissingError, match="does not answer within"):
        container.Look("ped-00000000").now()


@pytest.mark.usefixtures("quick")
def test_memory_that_nobody_tells_in_time_is_not_known(silent: type[Silent]) -> None:
    if silent is Speechless:
        return
    with engine.connected() as connected:
        assert connected.memory_bytes("abc") is None


@pytest.mark.usefixtures("quick")
def test_work_may_take_longer_than_a_question(silent: type[Silent]) -> None:
    if silent is Speechless:
        return
    with engine.connected() as connected:
        usual = connected._client.api.timeout
        with connected.patient(5.0):
            assert connected._client.api.timeout == 5.0
        assert connected._client.api.timeout == usual == 0.2
