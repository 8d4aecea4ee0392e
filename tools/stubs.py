# SPDX-License-Identifier: Apache-2.0
"""Writes typings/fabric_protos/**/*.pyi from the descriptors of the installed package.

hyperledger-fabric-protos says it is typed but ships no stubs; mypy-protobuf makes them from the
descriptors that its generated modules carry, so the types are those of the installed version.
"""

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import fabric_protos
from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2
from google.protobuf.descriptor import FileDescriptor

OUT = Path(__file__).resolve().parent.parent / "typings" / "fabric_protos"


def files() -> dict[str, FileDescriptor]:
    """Every descriptor of the package and what it imports, dependencies first."""
    found: dict[str, FileDescriptor] = {}

    def visit(file: FileDescriptor) -> None:
        for dependency in file.dependencies:
            visit(dependency)
        found.setdefault(file.name, file)

    for module in pkgutil.walk_packages(fabric_protos.__path__, "fabric_protos."):
        if module.name.endswith("_pb2"):
            visit(importlib.import_module(module.name).DESCRIPTOR)
    return found


def generate(plugin: str, descriptors: dict[str, FileDescriptor]) -> dict[str, str]:
    """Runs one protoc plugin over the descriptors: file name -> text."""
    request = plugin_pb2.CodeGeneratorRequest(parameter="quiet")
    for name, file in descriptors.items():
        proto = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(proto)  # type: ignore[no-untyped-call]  # protobuf's stubs leave it out
        request.proto_file.append(proto)
        if not name.startswith("google/"):
            request.file_to_generate.append(name)
    done = subprocess.run(
        [Path(sys.executable).parent / plugin],
        input=request.SerializeToString(),
        capture_output=True,
        check=True,
    )
    response = plugin_pb2.CodeGeneratorResponse.FromString(done.stdout)
    if response.error:
        raise SystemExit(f"{plugin}: {response.error}")
    return {file.name: file.content for file in response.file}


def rename(text: str, packages: set[str]) -> str:
    """Adapts a stub: the package's own prefix, and no clash with a field named `collections`."""
    names = "|".join(sorted(packages))
    text = re.sub(rf"(?<![\w.])({names})(?=(\.\w+)*\.\w+_pb2)", r"fabric_protos.\1", text)
    text = text.replace("import collections.abc\n", "import collections.abc as _abc\n")
    return re.sub(r"(?<![\w.])collections\.abc\.", "_abc.", text)


def main() -> None:
    descriptors = files()
    packages = {name.split("/")[0] for name in descriptors if not name.startswith("google/")}
    for plugin in ("protoc-gen-mypy", "protoc-gen-mypy_grpc"):
        for name, text in generate(plugin, descriptors).items():
            target = OUT / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(rename(text, packages))
    for folder in [OUT, *(path for path in OUT.rglob("*") if path.is_dir())]:
        (folder / "__init__.pyi").touch()


if __name__ == "__main__":
    main()
