"""Opens a network that was trained elsewhere: `.keras`, `.h5` or a SavedModel folder. What could run code is refused before it is opened.

Called by `training.foreign`. Nothing is unpickled: `.keras` and `.h5` hold JSON and arrays, a SavedModel holds a TensorFlow graph.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import h5py
import keras

from training import convert, errors

_CARRIES_CODE: Final = {"Lambda", "__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
_SIGNATURES: Final = ("serving_default", "serve")
_GRAPH_FILE: Final = "saved_model.pb"
# What a graph of TensorFlow can do to files and processes beside computing. Loading and saving of weights is not among it.
_TOUCHES_FILES: Final = {"ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "PyFuncStateless", "EagerPyFunc", "PrintV2", "LoadLibrary"}


class Opened(NamedTuple):
    """A network from one picture (N, height, width, channels) to one row of numbers (N, K), and what it was read from."""

    model: keras.Model
    format: str
    file: str
    sha256: str


def open_model(path: Path) -> Opened:
    """Open a model file or folder.

    Raises:
        errors.UnreadableModel: it is none, or has other inputs and outputs.
        errors.UnsafeModel: it carries code.
    """
    convert.require_tensorflow()
    if (path / _GRAPH_FILE).is_file():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        lines = "".join(f"{file.relative_to(path).as_posix()}\t{_sha256(file)}\n" for file in files)
        model, name, sha256 = _saved_model(path), "SavedModel", hashlib.sha256(lines.encode()).hexdigest()
    elif path.is_file() and path.suffix.lower() in (".keras", ".h5", ".hdf5"):
        model, name, sha256 = _keras_file(path), path.suffix.lower(), _sha256(path)
    else:
        raise errors.UnreadableModel(f"Expected a .keras or .h5 file, or a folder with {_GRAPH_FILE}. Received: {path}.")
    shapes = [tuple(tensor.shape) for tensor in (*model.inputs, *model.outputs)]
    if [len(shape) for shape in shapes] != [4, 2]:
        raise errors.UnreadableModel(
            f"Expected a network from (N, height, width, channels) to (N, outputs). Received: inputs and outputs {shapes}."
        )
    return Opened(model, name, path.name, sha256)


def _keras_file(path: Path) -> keras.Model:
    try:
        if path.suffix.lower() == ".keras":
            with zipfile.ZipFile(path) as archive:
                config = json.loads(archive.read("config.json"))
        else:
            with h5py.File(path, "r") as file:
                config = json.loads(file.attrs["model_config"])
    except (OSError, zipfile.BadZipFile, ValueError, KeyError) as error:
        raise errors.UnreadableModel(
            f"Expected a whole Keras model, saved by model.save(); weights alone do not tell what network they belong to. "
            f"Received: {path.name}: {error}."
        ) from error
    for part in _parts(config):
        _refuse_code(part)
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its layers raise
        raise errors.UnreadableModel(
            f"Expected a model of Keras's own layers that Keras {keras.__version__} reads. Received: {path.name}: {error}"
        ) from error


def _parts(config: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 JSON of any depth
    """Yield all JSON objects in a model's configuration."""
    if isinstance(config, dict):
        yield config
    for part in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        yield from _parts(part)


def _refuse_code(part: dict[str, Any]) -> None:
    kind, module = str(part.get("class_name")), part.get("module")
    name = part["config"].get("name") if isinstance(part.get("config"), dict) else None
    shown = f"{kind} {name!r}" if name else kind
    if kind in _CARRIES_CODE:
        raise errors.UnsafeModel(
            f"Expected a model of Keras's own layers. Received: {shown}, which runs code that came with the file. Put a layer of "
            "Keras in its place (Rescaling for a scaling) and save it again, or bring the model as a SavedModel."
        )
    ours = part.get("registered_name") in keras.saving.get_custom_objects()
    if module and not ours and not str(module).startswith(("keras.", "builtins")) and module not in ("keras", "builtins"):
        raise errors.UnsafeModel(
            f"Expected a model of Keras's own layers. Received: {shown} of {module}, whose code is not here and is not loaded. Bring the "
            "model as a SavedModel."
        )


def _saved_model(path: Path) -> keras.Model:
    import tensorflow as tf
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    graph = saved_model_pb2.SavedModel()
    try:
        graph.ParseFromString((path / _GRAPH_FILE).read_bytes())
    except DecodeError as error:
        raise errors.UnreadableModel(f"Expected a SavedModel. Received: {path.name}/{_GRAPH_FILE}: {error}.") from error
    operations = {node.op for meta in graph.meta_graphs for node in meta.graph_def.node}
    operations |= {node.op for meta in graph.meta_graphs for function in meta.graph_def.library.function for node in function.node_def}
    if unsafe := sorted(operations & _TOUCHES_FILES):
        raise errors.UnsafeModel(f"Expected a network that only computes. Received: {path.name}, which holds {', '.join(unsafe)}.")
    try:
        signatures = tf.saved_model.load(str(path)).signatures
    except Exception as error:  # TensorFlow raises its own kinds and Python's
        raise errors.UnreadableModel(f"Expected a SavedModel that TensorFlow loads. Received: {path.name}: {error}") from error
    name = next((name for name in (*_SIGNATURES, *signatures) if name in signatures), None)
    if name is None:
        raise errors.UnreadableModel(f"Expected a SavedModel with a signature. Received: {path.name} without any.")
    inputs, outputs = signatures[name].structured_input_signature[1], signatures[name].structured_outputs
    if len(inputs) != 1 or len(outputs) != 1:
        raise errors.UnreadableModel(f"Expected one input and one output in {name}. Received: {sorted(inputs)} and {sorted(outputs)}.")
    (spec,) = inputs.values()
    picture = keras.Input(batch_shape=tuple(spec.shape or ()))
    (output,) = keras.layers.TFSMLayer(str(path), call_endpoint=name)(picture).values()
    return keras.Model(picture, output)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
