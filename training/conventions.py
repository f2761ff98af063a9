"""Which values a network from elsewhere wants to see, and how that is known: from a person, from its first layers, or tried on pictures.

Grey levels 0 to 255 become what `keras.applications` calls its modes and what notebooks do by hand. A convention with its own offset for
each channel becomes a layer in front of the network, since the manifest knows one range for all channels.
"""

from typing import Any, Final, NamedTuple

import keras
import numpy as np
import numpy.typing as npt

from training import errors, graphs


class Values(NamedTuple):
    """A convention: the contract's range, and the layer in front: (value - mean) / std for each channel."""

    low: float
    high: float
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def front(self) -> keras.Layer | None:
        """Return the layer to put in front of the network, None where the range says it all."""
        if not self.mean:
            return None
        return keras.layers.Normalization(mean=self.mean, variance=[one**2 for one in self.std], name="values")

    def of_grey(self, grey: npt.NDArray[Any], channels: int) -> npt.NDArray[np.float32]:
        """Return what the network wants to see of grey levels: array (N, h, w), values in [0, 255], to (N, h, w, channels)."""
        values = np.repeat(grey[..., np.newaxis].astype(np.float64), channels, axis=-1) / 255.0 * (self.high - self.low) + self.low
        return ((values - (self.mean or 0.0)) / (self.std or 1.0)).astype(np.float32)


VALUES: Final = {
    "unit": Values(0.0, 1.0),
    "signed": Values(-1.0, 1.0),
    "bytes": Values(0.0, 255.0),
    # keras.applications.imagenet_utils: BGR means of ImageNet, and RGB means and deviations. A grey picture is the same in any order.
    "caffe": Values(0.0, 255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
    "torch": Values(0.0, 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
MEANING: Final = "unit: 0 to 1; signed: -1 to 1; bytes: 0 to 255; caffe, torch: keras.applications' modes with means of ImageNet"

_ELEMENTWISE: Final = {
    *("Rescaling", "Normalization", "Subtract", "Add", "Multiply", "TrueDivide", "Divide", "GetItem", "Cast", "Identity"),
    *("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness", "GaussianNoise"),
}
"""What may stand at the front and leaves every pixel in its place when nothing is trained."""
_NEAR: Final = 0.02
_ROUNDS: Final = 1000
_SURE: Final = 0.975


def of_layers(model: keras.Model) -> tuple[str, str] | None:
    """Tell the convention by the layers at the front, (name, how it is known); None where they do not tell.

    The front is run on pictures of 0, 1 and 2, which shows what it multiplies by and adds. Of the ranges a picture can have, the one is
    meant that comes out as 0 to 1, as -1 to 1, as -0.5 to 0.5, as 0 to 255, or, after channel means, as a few standard deviations around 0.

    Args:
        model: flat.
    """
    found = graphs.edges(model)
    tensor, names = model.inputs[0], []
    while (edge := graphs.after(found, tensor)) is not None and edge.kind in _ELEMENTWISE and edge.output.shape == tensor.shape:
        tensor = edge.output
        names.append(edge.kind)
    if not names:
        return None
    shape = model.inputs[0].shape[1:]
    front = keras.Model(model.inputs[0], tensor)
    zero, one, two = (np.asarray(front(np.full((1, *shape), value, np.float32)))[0, 0, 0] for value in (0.0, 1.0, 2.0))
    scale, offset = one - zero, zero
    if not np.allclose(two - one, scale, atol=1e-4):
        return None
    ranges = {name: (VALUES[name].low, VALUES[name].high) for name in ("unit", "signed", "bytes")}
    images = {name: (scale * low + offset, scale * high + offset) for name, (low, high) in ranges.items()}
    for means in (_is_known, _is_standardised):
        matching = [name for name, (low, high) in images.items() if means(low, high)]
        if len(matching) == 1:
            return matching[0], f"its first layers, {', '.join(names)}, show it"
    return None


def _is_known(low: npt.NDArray[Any], high: npt.NDArray[Any]) -> bool:
    wanted = ((0.0, 1.0), (-1.0, 1.0), (-0.5, 0.5), (0.0, 255.0))
    return any(np.allclose(low, a, atol=_NEAR * (b - a)) and np.allclose(high, b, atol=_NEAR * (b - a)) for a, b in wanted)


def _is_standardised(low: npt.NDArray[Any], high: npt.NDArray[Any]) -> bool:
    """Whether black and white lie a few standard deviations on either side of 0, or a picture of bytes has had its means taken off."""
    deviations = (low < -0.5) & (low > -6.0) & (high > 0.5) & (high < 6.0)
    centred = (low < -90.0) & (low > -140.0) & (np.abs(high - low - 255.0) < 5.0)
    return bool((deviations | centred).all())


def of_pictures(losses: dict[str, npt.NDArray[np.float64]], groups: npt.NDArray[Any], seed: int = 0) -> tuple[str, str]:
    """Tell the convention by labelled pictures: the one under which the network's probabilities fit them best, beyond chance.

    Args:
        losses: for each convention, float64 array (N,), -log of the probability that the network gives to what is true.
        groups: array (N,), the patient of each picture.
        seed: of the bootstrap over patients.

    Raises:
        errors.ConventionUnknown: none is better than all others in 97.5 % of the draws, or none better than knowing nothing.
    """
    ranked = sorted(losses, key=lambda name: float(losses[name].mean()))
    best, rivals = ranked[0], ranked[1:]
    names, places = np.unique(groups, return_inverse=True)
    draws = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1.0 / len(names)), _ROUNDS)[:, places]
    better = [float(np.mean(draws @ (losses[rival] - losses[best]) > 0.0)) for rival in rivals]
    if min(better) < _SURE or float(losses[best].mean()) >= np.log(2.0):
        shown = ", ".join(f"{name} {float(losses[name].mean()):.3f}" for name in ranked)
        raise errors.ConventionUnknown(
            f"Expected one convention of values to fit the labelled pictures clearly better than the others; give --values ({MEANING}), "
            f"or --labels in another order if that is what is wrong. Received: mean loss {shown} on {len(groups)} pictures."
        )
    return best, f"it fits {len(groups)} labelled pictures best: mean loss {float(losses[best].mean()):.3f}, the next {rivals[0]} " + (
        f"{float(losses[rivals[0]].mean()):.3f}"
    )
