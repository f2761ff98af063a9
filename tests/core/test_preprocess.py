"""The one preprocessing: what goes into the network, against Pillow and against arithmetic."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from core import images, phantom
from core.manifest import InputContract


def contract(**changes: object) -> InputContract:
    values = {"height_px": 48, "width_px": 64, "channels": 1, "low": -1.0, "high": 1.0, "resample": "bilinear", "draft_margin": 0.0}
    return InputContract(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("channels", [1, 3])
def test_input_has_the_manifests_shape_and_every_channel_is_the_same_grey(channels: int) -> None:
    values = images.preprocess(phantom.chest(1, 100), contract(channels=channels))

    assert values.shape == (48, 64, channels)
    assert values.dtype == np.float32
    assert all(np.array_equal(values[:, :, 0], values[:, :, channel]) for channel in range(channels))


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.0, 1.0), (0.0, 255.0), (-2.5, 2.5)])
def test_black_becomes_low_and_white_becomes_high(low: float, high: float) -> None:
    halves = np.zeros((96, 64), np.uint8)
    halves[48:] = 255

    values = images.preprocess(halves, contract(low=low, high=high))

    assert values.min() == pytest.approx(low, abs=1e-5)
    assert values.max() == pytest.approx(high, abs=1e-4)
    assert values[0, 0, 0] == pytest.approx(low, abs=1e-5)
    assert values[-1, 0, 0] == pytest.approx(high, abs=1e-4)


def test_8_bit_and_float_inputs_agree_within_rounding() -> None:
    grey = phantom.chest(2, 300)

    eight, deep = (images.preprocess(array, contract(low=0.0, high=255.0)) for array in (grey, grey.astype(np.float32)))

    assert np.abs(eight - deep).max() <= 1.0  # Pillow rounds 8 bits after each of its two passes


@pytest.mark.parametrize("name", ["box", "bilinear", "hamming", "bicubic", "lanczos"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_resizing_is_pillows(name: str, dtype: npt.DTypeLike) -> None:
    grey = phantom.chest(5, 200)[:, :150].astype(dtype)

    values = images.preprocess(grey, contract(resample=name))

    reference = np.asarray(Image.fromarray(grey).resize((64, 48), Image.Resampling[name.upper()]), np.float32)
    assert np.allclose(values[:, :, 0], reference / 127.5 - 1.0, atol=1e-5)


def test_picture_of_the_right_size_is_not_resampled() -> None:
    grey = phantom.chest(5, 64)[:48]

    values = images.preprocess(grey, contract(low=0.0, high=255.0))

    assert np.array_equal(values[:, :, 0], grey)


def test_network_input_does_not_depend_on_the_lossless_format() -> None:
    from tests.core.test_images import LOSSLESS

    inputs = [images.preprocess(images.decode(data).grey, contract()) for data in LOSSLESS.values()]

    assert all(np.array_equal(inputs[0], other) for other in inputs)
