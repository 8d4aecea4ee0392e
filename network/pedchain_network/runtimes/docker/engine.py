# SPDX-License-Identifier: Apache-2.0
"""The container engine, as far as a network needs it. Every failure says what to do."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import docker
from docker.errors import APIError, BuildError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import RequestException, Timeout

from pedchain_network.errors import ImageMissingError, RuntimeMissingError
from pedchain_network.limits import ENGINE_TIMEOUT_S, ENGINE_WORK_S, STATUS_TIMEOUT_S
from pedchain_network.runtimes.docker import endpoint

_START = "start the engine (systemctl start docker), and see that this user may use its socket"
_SLOW = "wait if this host is busy; else see what docker ps does, and restart the engine"
_ROOTLESS = ("name=rootless", "name=userns")


class Engine:
    """A running engine. Close it, or use `connected`."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    @property
    def version(self) -> str:
        """The engine's own."""
        return str(self._client.version()["Version"])

    def close(self) -> None:
        """Drop the connections."""
        self._client.close()

    @contextmanager
    def patient(self, seconds: float | None = ENGINE_WORK_S) -> Iterator[None]:
        """Wait so long for each answer meanwhile; None is for ever."""
        usual = self._client.api.timeout
        # requests, which it is for, takes any number or None.
        self._client.api.timeout = seconds  # type: ignore[assignment]
        try:
            yield
        finally:
            self._client.api.timeout = usual

    def maps_root(self) -> bool:
        """Is root in a container the user who runs the engine (rootless engines, user maps)."""
        options = self._client.info().get("SecurityOptions") or ()
        return any(option.startswith(_ROOTLESS) for option in options)

    def has_image(self, name: str) -> bool:
        """Is the image here."""
        try:
            self._client.images.get(name)
        except ImageNotFound:
            return False
        return True

    def label(self, name: str, key: str) -> str:
        """A label of an image; empty if it has none or is not here."""
        try:
            return str(self._client.images.get(name).labels.get(key, ""))
        except ImageNotFound:
            return ""

    def pull(self, name: str) -> None:
        """Get an image from its registry. Raises `ImageMissingError`."""
        try:
            with self.patient():
                self._client.images.pull(name)
        except (APIError, RequestException) as error:
            raise _missing(name, error) from error

    def find_remote(self, name: str) -> None:
        """Could the image be pulled. Raises `ImageMissingError` if not."""
        try:
            self._client.images.get_registry_data(name)
        except (APIError, RequestException) as error:
            raise _missing(name, error) from error

    def build(
        self, context: Path, dockerfile: str, target: str, name: str, labels: dict[str, str]
    ) -> None:
        """Make one of our images. Raises `ImageMissingError` with the build's last lines."""
        arguments = {key: os.environ[key] for key in ("PYTHON_IMAGE",) if key in os.environ}
        try:
            with self.patient():
                self._client.images.build(
                    path=str(context),
                    dockerfile=dockerfile,
                    target=target,
                    tag=name,
                    rm=True,
                    labels=labels,
                    buildargs=arguments,
                )
        except BuildError as error:
            lines = [str(each.get("stream") or each.get("error") or "") for each in error.build_log]
            last = "".join(lines)[-2000:].strip()
            raise ImageMissingError(f"{name} cannot be built:\n{last}") from error
        except (APIError, RequestException) as error:
            raise ImageMissingError(f"{name} cannot be built: {error}") from error

    def containers(self, project: str) -> list[Container]:
        """Every container of a compose project, running or not."""
        try:
            return self._client.containers.list(
                all=True,
                filters={"label": f"com.docker.compose.project={project}"},
                sparse=True,  # one question instead of one per container
            )
        except APIError as error:
            raise RuntimeMissingError(f"docker: the engine fails: {error}", _START) from error

    def has_volumes(self, project: str) -> bool:
        """Is anything of a compose project kept."""
        label = {"label": f"com.docker.compose.project={project}"}
        return bool(self._client.volumes.list(filters=label))

    def volumes(self, project: str) -> list[str]:
        """Names of a compose project's volumes, as its file has them."""
        label = {"label": f"com.docker.compose.project={project}"}
        found = self._client.volumes.list(filters=label)
        return sorted(each.name.removeprefix(f"{project}_") for each in found)

    def create_volumes(self, project: str, names: Sequence[str]) -> None:
        """Make volumes that compose takes for its own."""
        for name in names:
            labels = {"com.docker.compose.project": project, "com.docker.compose.volume": name}
            self._client.volumes.create(f"{project}_{name}", labels=labels)

    def holder(self, image: str, volumes: Mapping[str, str]) -> Container:
        """A container that is not started, with these volumes at these places."""
        try:
            return self._client.containers.create(
                image,
                volumes={name: {"bind": place, "mode": "rw"} for name, place in volumes.items()},
                network_mode="none",
            )
        except (APIError, ImageNotFound) as error:
            raise RuntimeMissingError(f"docker: the engine fails: {error}", _START) from error

    def memory_bytes(self, container: str) -> int | None:
        """Resident memory of a running container, or None, also if that takes long."""
        try:
            with self.patient(STATUS_TIMEOUT_S):
                answer = self._client.api.stats(container, stream=False, one_shot=True)
            told = answer["memory_stats"]
            cache = told["stats"]
            return int(told["usage"]) - int(cache.get("inactive_file", 0))
        except (APIError, RequestException, KeyError):
            return None

    def log(self, container: str, lines: int | None, *, follow: bool, times: bool) -> Iterator[str]:
        """A container's log, line by line; nothing if there is no such container."""
        try:
            with self.patient(None if follow else ENGINE_TIMEOUT_S):
                stream = self._client.api.logs(
                    container,
                    stream=True,
                    follow=follow,
                    timestamps=times,
                    tail="all" if lines is None else lines,
                )
            rest = b""
            for chunk in stream:
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)
        except (APIError, RequestException):
            return
        if rest:
            yield rest.decode(errors="replace")


@contextmanager
def connected() -> Iterator[Engine]:
    """An engine that has just answered. Raises `RuntimeMissingError`, also if it stops answering
    meanwhile."""
    engine = connect()
    try:
        yield engine
    except (NoConnection, Timeout) as error:
        raise _unanswered(endpoint.address() or "", error) from error
    finally:
        engine.close()


def connect() -> Engine:
    """An engine that has just answered. Raises `RuntimeMissingError`."""
    place = endpoint.address()
    if place is None:
        raise RuntimeMissingError("docker: no engine runs here", _START)
    refusal = endpoint.refusal(place)
    if refusal:
        raise RuntimeMissingError(f"docker: no engine answers at {place}: {refusal}", _START)
    try:
        client = docker.DockerClient(base_url=place, timeout=ENGINE_TIMEOUT_S)
    except (DockerException, RequestException) as error:
        raise _unanswered(place, error) from error
    return Engine(client)


def _unanswered(place: str, error: Exception) -> RuntimeMissingError:
    """The SDK tells of a late answer in words only."""
    if "timed out" in str(error):
        text = f"docker: the engine at {place} does not answer within {ENGINE_TIMEOUT_S} s"
        return RuntimeMissingError(text, _SLOW)
    return RuntimeMissingError(f"docker: the engine at {place} fails: {error}", _START)


def _missing(name: str, error: Exception) -> ImageMissingError:
    said = error.explanation if isinstance(error, APIError) else error
    kind = "does not exist there" if isinstance(error, NotFound) else f"cannot be pulled: {said}"
    return ImageMissingError(
        f"image {name} is not here and {kind}",
        f"docker pull {name} where the registry can be reached, docker save and docker load here, "
        "or use --runtime native or embedded",
    )
