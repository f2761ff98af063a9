"""Variants of the package that the project ships: a copy, changed, and signed again where it should load."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import msgspec
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from core import guard, phantom
from core.classifier import calibrate
from core.images import preprocess
from core.manifest import GUARD_FILE, MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE, read
from core.network import Network
from core.package import SELFTEST_SIDE_PX
from core.settings import BAKED_MODEL

Json = dict[str, Any]
Change = Callable[[Json], object]
Shape = tuple[int, ...]
NAME = "pneumonia"


def baked() -> Path:
    """Return the folder of the package that the project ships."""
    return next(path.parent for path in BAKED_MODEL.glob(f"*/{MANIFEST_FILE}"))


def version() -> str:
    """Return the version of the package that the project ships."""
    return read(baked())[0].version


def copy(parent: Path, name: str = NAME) -> Path:
    """Copy what makes the shipped package load into a new folder below `parent`: without its guard."""
    package = parent / name
    package.mkdir(parents=True)
    for file in (MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE):
        shutil.copyfile(baked() / file, package / file)
    edit(package, MANIFEST_FILE, lambda manifest: manifest.update(files={}, guard=None))
    sign(package)
    return package


def edit(package: Path, file: str, change: Change) -> None:
    """Change a JSON file of a package in place, and nothing else: digests stay what they were."""
    path = package / file
    content: Json = msgspec.json.decode(path.read_bytes())
    change(content)
    path.write_bytes(msgspec.json.encode(content))


def sign(package: Path) -> None:
    """Write the digests of the files that are there into the manifest."""
    there = [path for path in package.rglob("*") if path.is_file() and path.name != MANIFEST_FILE]
    files = {path.relative_to(package).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in there}
    edit(package, MANIFEST_FILE, lambda manifest: manifest.update(files=files))


def variant(parent: Path, change: Change, name: str = NAME, outputs: Callable[[Shape], bool] | None = None) -> Path:
    """Return a sound package with another manifest, and of the network only some outputs: its self-test expects what it then says."""
    package = copy(parent, name)
    if outputs is not None:
        flatbuffer = _keep_outputs((package / NETWORK_FILE).read_bytes(), outputs)
        (package / NETWORK_FILE).write_bytes(flatbuffer)
    edit(package, MANIFEST_FILE, change)
    manifest, _ = read(package)
    network = Network((package / NETWORK_FILE).read_bytes(), manifest, 1)

    def expect(selftest: Json) -> None:
        for case in selftest["cases"]:
            outputs = network.run(preprocess(phantom.chest(case["seed"], SELFTEST_SIDE_PX), manifest.input))
            case["probabilities"] = [float(value) for value in calibrate(outputs.probabilities, manifest.temperature)]

    edit(package, SELFTEST_FILE, expect)
    sign(package)
    return package


def with_point(parent: Path, threshold: float, indeterminate: tuple[float, float] | None = None, draft_margin: float = 0.0) -> Path:
    """Return a sound package with one operating point, `only`."""
    low, high = indeterminate or (threshold, threshold)

    def change(manifest: Json) -> None:
        point = {"name": "only", "threshold": threshold, "indeterminate_from": low, "indeterminate_to": high}
        manifest["operating_points"] = [{**manifest["operating_points"][0], **point}]
        manifest["default_operating_point"] = "only"
        manifest["input"]["draft_margin"] = draft_margin

    return variant(parent, change)


def unmeasured(parent: Path) -> Path:
    """Return a sound package of which nobody measured what its threshold gives, nor knows its training pictures."""

    def change(manifest: Json) -> None:
        point = {**manifest["operating_points"][0], "name": "unmeasured", "sensitivity": None, "specificity": None}
        manifest.update(operating_points=[point], default_operating_point="unmeasured")
        manifest["origin"]["dataset_sha256"] = None

    return variant(parent, change)


def without(parent: Path, *, maps: bool = True, embedding: bool = True) -> Path:
    """Return a sound package whose network gives no class activation maps, or no embedding, and whose manifest says so."""

    def change(manifest: Json) -> None:
        manifest["class_activation_maps"] = maps
        manifest["embedding_size"] = manifest["embedding_size"] if embedding else None

    embedding_size = read(baked())[0].embedding_size
    return variant(parent, change, outputs=lambda shape: maps if len(shape) == 4 else embedding or shape[1] != embedding_size)


def shuffled(flatbuffer: bytes, seed: int) -> bytes:
    """Return the network with the weights of each layer in random order: as it is built, with nothing of what it has learned."""
    rng = np.random.default_rng(seed)
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    tensors = {tensor.buffer: tensor for tensor in model.subgraphs[0].tensors}
    for number, buffer in enumerate(model.buffers):
        kind = {schema.TensorType.FLOAT16: np.float16, schema.TensorType.FLOAT32: np.float32}.get(
            getattr(tensors.get(number), "type", None)
        )
        if kind is not None and buffer.data is not None:
            values = np.frombuffer(bytes(buffer.data), kind)
            buffer.data = np.frombuffer(rng.permutation(values).tobytes(), np.uint8)
    return _packed(model)


def guarded(parent: Path, name: str = NAME) -> Path:
    """Return a sound package with a guard that knows two phantoms: others are near, noise is far, and what is between gets a warning."""
    package = copy(parent, name)
    manifest, _ = read(package)
    network = Network((package / NETWORK_FILE).read_bytes(), manifest, 1)

    def embed(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        embedding = network.run(preprocess(pixels, manifest.input)).embedding
        assert embedding is not None
        return embedding

    known = np.stack([embed(phantom.chest(seed)) for seed in (phantom.SAMPLE, 1)])
    mean = (known / np.linalg.norm(known, axis=1, keepdims=True)).mean(axis=0)
    nothing = np.zeros_like(mean)
    reference = guard.Reference(mean, nothing[np.newaxis], 1.0, nothing, 0.0)
    near, far = reference.distance(embed(phantom.chest(5))), reference.distance(embed(noise()))
    assert 2.0 * near < far, (near, far)
    decides = {"warn_distance": 1.5 * near, "refuse_distance": 0.95 * far, "chosen": "by hand", "distance_bounds": [near, far]}
    decides |= {"distance_shares": [0.5, 0.25, 0.25], "pictures": 1000}
    (package / GUARD_FILE).write_bytes(guard.write(reference))
    edit(package, MANIFEST_FILE, lambda content: content.update(guard=decides))
    sign(package)
    return package


def noise() -> npt.NDArray[np.uint8]:
    """Draw noise: no chest."""
    return np.random.default_rng(0).integers(0, 256, (256, 256), dtype=np.uint8)


def _keep_outputs(flatbuffer: bytes, kept: Callable[[Shape], bool]) -> bytes:
    """Return the network with fewer outputs. The schema that LiteRT brings along needs no TensorFlow."""
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    graph = model.subgraphs[0]
    graph.outputs = [index for index in graph.outputs if kept(tuple(graph.tensors[index].shape))]
    model.signatureDefs = []  # they name outputs
    return _packed(model)


def _packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def poison(package: Path) -> None:
    """Write "not a number" over some weights in the middle of the network, and sign: it loads, and answers NaN."""
    data = bytearray((package / NETWORK_FILE).read_bytes())
    middle = len(data) // 8 * 4
    data[middle : middle + 64] = b"\xc0\x7f" * 32  # NaN as 16 bits and as 32
    (package / NETWORK_FILE).write_bytes(data)
    sign(package)
