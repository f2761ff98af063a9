"""A package as the start of a training: its network, ready to learn on, from the patients that taught it before. Called by `experiment`.

A run that goes on from a package gets a new learning rate, side or recipe, and keeps what was learned; `retrain` is for new pictures.
"""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import keras
import msgspec
import numpy as np

from core.manifest import MANIFEST_FILE, InputContract, Manifest, read
from training import architectures, errors, networks, rebuild, versions
from training.configuration import Configuration
from training.names import KINDS
from training.pictures import GreyStack, Pictures, inputs

_log = logging.getLogger(__name__)

_PICTURES: Final = 384  # as many as settle the mean of a channel
_BATCH: Final = 16  # the inputs of all of MobileNetV2's batch norms at 224 pixels: 27 MB a picture
_SMALLEST: Final = 1e-12
_NO_SHARE: Final = "Give --start-share 0 to go without."


def refuse(configuration: Configuration) -> None:
    """Refuse, before minutes go into decoding, what a cross-validation cannot start from.

    Raises:
        errors.SeenInTraining: it is a package.
        errors.InitialWeightsUnusable: it is a file that is not there.
        errors.InvalidConfiguration: a share of a package is to be kept.
    """
    weights = configuration.weights
    if architectures.package_folder(weights):
        raise errors.SeenInTraining(
            f"Expected initial weights that know none of these patients. Received: the package {weights}, whose network has learned from "
            "most of them; what a fold says of its patients would be worth nothing."
        )
    architectures.weights_file(weights)
    if configuration.start_share:
        raise errors.InvalidConfiguration(
            "Expected a recipe without start_share, since no fold starts from a package. "
            f"Received: {configuration.start_share:g}. {_NO_SHARE}"
        )


def refuse_share(configuration: Configuration) -> None:
    """Refuse, as early, to keep a share of a network where training begins with none.

    Raises:
        errors.InvalidConfiguration: the recipe asks for that.
    """
    if configuration.start_share and not architectures.package_folder(configuration.weights):
        raise errors.InvalidConfiguration(
            "Expected start_share 0, or the folder of a model package as initial weights: no other start is a whole network that a share "
            f"could be kept of. Received: start_share {configuration.start_share:g} with weights {configuration.weights}. {_NO_SHARE}"
        )


def version(weights: str) -> str:
    """Return the version of what learns from these weights on: 0.1.0, or after a package the next, 0.3.0 after 0.2.1."""
    folder = architectures.package_folder(weights)
    if folder is None:
        return versions.FIRST
    before = read(folder)[0].version
    return versions.minor_after([before]) or f"{before[:90]}-further"


def of_children(weights: str) -> bool:
    """Whether these weights are a package that says of itself that children taught it: what learns on learns from them."""
    folder = architectures.package_folder(weights)
    return folder is not None and read(folder)[0].of_children is True


def manifest_of(folder: Path, dataset_sha256: str, configuration: Configuration) -> Manifest:
    """Return the manifest of a package to start from.

    Args:
        folder: of the package.
        dataset_sha256: of the data set that it shall go on with.
        configuration: the recipe; its seed tells who is held out.

    Raises:
        errors.InitialWeightsUnusable: it is no readable package, or of another architecture or other labels.
        errors.SeenInTraining: its network may have learned from patients that this split holds out.
    """
    try:
        manifest, _ = read(folder)
    except (OSError, ValueError) as error:
        raise errors.InitialWeightsUnusable(f"Expected the {MANIFEST_FILE} of a package. Received: {folder}: {error}.") from error
    origin, arch = manifest.origin, manifest.origin.config.get("arch")
    if arch != configuration.arch or tuple(label.name for label in manifest.labels) != KINDS:
        raise errors.InitialWeightsUnusable(
            f"Expected a package of the recipe's architecture, {configuration.arch}, with the labels {', '.join(KINDS)}. Received: "
            f"{manifest.name} {manifest.version}, {arch or 'of an unknown one'}, {', '.join(label.name for label in manifest.labels)}."
        )
    if origin.dataset_sha256 != dataset_sha256 or origin.config.get("seed") != configuration.seed:
        raise errors.SeenInTraining(
            "Expected a package of the same data set and seed, which holds out the same patients. Received: "
            f"{manifest.name} {manifest.version}, of {origin.dataset} (sha256 {str(origin.dataset_sha256)[:12]}…) and seed "
            f"{origin.config.get('seed')}, whose network may know patients that would be held out. "
            "For new pictures there is `pneumonia retrain`."
        )
    return manifest


def network(folder: Path, manifest: Manifest, configuration: Configuration, fit_on: Pictures) -> keras.Model:
    """Return the package's network for pictures of this size, with the statistics of batch norm that the recipe asks for.

    Raises:
        errors.RunUnusable, errors.ParityBroken: see `rebuild.network`.
        errors.InvalidConfiguration: it takes pictures of another size, and has no feature map.
    """
    model = rebuild.network(folder, manifest, configuration.dropout)
    side_px = fit_on.grey.shape[1]
    if model.input_shape[1] != side_px:
        model = networks.remade(model, side_px)
    if configuration.statistics == "fixed":
        return model
    order = np.random.default_rng(configuration.seed).permutation(len(fit_on.labels))[:_PICTURES]
    contract = msgspec.structs.replace(manifest.input, height_px=side_px, width_px=side_px)
    _log.info("taking the statistics of batch norm from %d pictures", len(order))
    return renormalised(model, configuration.dropout, _batches(fit_on.grey[order], contract))


def renormalised(model: keras.Model, dropout: float, batches: Iterable[Any]) -> keras.Model:
    """Return the same function with batch norm that learns its statistics.

    A rebuilt network has batch norm folded into its convolutions: it normalises by 0 and 1. Here each gets the mean m and the variance v
    of what it is given, and a scale g √(v + ε) / √(v₀ + ε) and a shift b + (m − m₀) g / √(v₀ + ε), which leave every output as it was.

    Args:
        model: made by `rebuild.network`.
        dropout: share of the features dropped while learning.
        batches: float32 arrays (N, height, width, 1), whole pictures.
    """
    base = networks.base_of(model)
    learning = networks.cloned(base, "learned")
    learning.set_weights(base.get_weights())
    for name, (mean, variance) in _moments(base, batches).items():
        layer = base.get_layer(name)
        scale, shift, old_mean, old_variance = layer.get_weights()
        old = np.sqrt(old_variance + layer.epsilon)
        new = [scale * np.sqrt(variance + layer.epsilon) / old, shift + (mean - old_mean) * scale / old, mean, variance]
        learning.get_layer(name).set_weights(new)
    result = networks.with_head(learning, model.output_shape[-1], dropout)
    head = "maps" if networks.has_maps(model) else "logits"
    result.get_layer(head).set_weights(model.get_layer(head).get_weights())
    return result


def _moments(base: keras.Model, batches: Iterable[Any]) -> dict[str, tuple[Any, Any]]:
    """Return mean and variance of each channel that the layers of batch norm are given, by layer: float32 arrays (C,)."""
    watched = keras.models.clone_model(base, clone_function=_watched)
    watched.set_weights(base.get_weights())
    for batch in batches:
        watched(batch)
    return {layer.name: layer.moments() for layer in watched.layers if isinstance(layer, _Watched)}


def _watched(layer: keras.Layer) -> keras.Layer:
    kind = _Watched if isinstance(layer, keras.layers.BatchNormalization) else type(layer)
    return kind.from_config(layer.get_config())


class _Watched(networks.FixedStatistics):
    """Batch norm that remembers the moments of all that it is given."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ANN401 a tensor of any backend
        """Normalise, and count."""
        if not isinstance(inputs, keras.KerasTensor):
            each = np.asarray(keras.ops.convert_to_numpy(inputs), dtype=np.float64).reshape(-1, inputs.shape[-1])
            self._count = getattr(self, "_count", 0) + len(each)
            self._sums = getattr(self, "_sums", 0.0) + np.stack([each.sum(axis=0), np.square(each).sum(axis=0)])
        return super().call(inputs, training, mask)

    def moments(self) -> tuple[Any, Any]:
        """Return mean and variance: float32 arrays (C,)."""
        mean, square = self._sums / self._count
        return mean.astype(np.float32), np.maximum(square - mean**2, _SMALLEST).astype(np.float32)


def _batches(grey: GreyStack, contract: InputContract) -> Iterator[Any]:
    for start in range(0, len(grey), _BATCH):
        yield inputs(grey[start : start + _BATCH], contract)
