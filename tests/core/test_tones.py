"""Grey levels as the header asks for them: tables, windows, polarity, padding; and where it asks for nothing, or for nonsense."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pydicom", reason="needs the extra dicom: pip install '.[dicom]'")

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from core import errors, images
from tests.support import dicoms
from tests.support.dicoms import deep, file, table

CHEST = dicoms.chest()
TWELVE = deep(CHEST, 12)


def shown(expected: Any, data: bytes, *warnings: str, within: float = 0.6) -> None:
    picture = images.decode(data)
    assert picture.warnings == warnings
    assert np.abs(picture.grey - np.clip(expected, 0.0, 255.0)).max() <= within


def test_window_is_applied_as_the_standard_says() -> None:
    """PS3.3 C.11.2.1.2.1, by its own pseudo-code."""
    centre, width = 2000.0, 1000.0
    expected = ((TWELVE - (centre - 0.5)) / (width - 1) + 0.5) * 255.0

    shown(expected, file(TWELVE, 12, WindowCenter=centre, WindowWidth=width), within=0.01)
    shown(expected, file(TWELVE, 12, WindowCenter=centre, WindowWidth=width, VOILUTFunction="LINEAR"), within=0.01)


def test_exact_window_and_sigmoid_are_applied_as_the_standard_says() -> None:
    window: dict[str, Any] = {"WindowCenter": 2000.0, "WindowWidth": 1000.0}

    exact = ((TWELVE - 2000.0) / 1000.0 + 0.5) * 255.0
    shown(exact, file(TWELVE, 12, VOILUTFunction="LINEAR_EXACT", **window), within=0.01)
    sigmoid = 255.0 / (1.0 + np.exp(-4.0 * (TWELVE - 2000.0) / 1000.0))
    shown(sigmoid, file(TWELVE, 12, VOILUTFunction="SIGMOID", **window), within=0.01)


def test_of_several_windows_the_first_counts() -> None:
    one = file(TWELVE, 12, WindowCenter=2000, WindowWidth=1000)

    several = file(TWELVE, 12, WindowCenter=[2000, 500], WindowWidth=[1000, 20])

    assert np.array_equal(images.decode(several).grey, images.decode(one).grey)


def test_window_that_shows_all_changes_nothing_of_8_bits() -> None:
    assert np.array_equal(images.decode(file(CHEST, WindowCenter=128, WindowWidth=256)).grey, CHEST)


def test_window_counts_rescaled_values() -> None:
    data = file(TWELVE, 12, RescaleSlope="2", RescaleIntercept="-1000", WindowCenter=3095.5, WindowWidth=8191)

    shown(CHEST, data)


@pytest.mark.parametrize(("slope", "intercept"), [("2", "-1000"), ("0.01", "7"), ("1", "-1024")])
def test_rescaling_alone_changes_nothing(slope: str, intercept: str) -> None:
    shown(CHEST, file(TWELVE, 12, RescaleSlope=slope, RescaleIntercept=intercept), within=0.1)


def test_rescaling_with_a_negative_slope_turns_over() -> None:
    shown(CHEST, file(4095 - TWELVE, 12, RescaleSlope="-1", RescaleIntercept="4095"), within=0.1)


@pytest.mark.parametrize("first", [0, 100, -500])
def test_voi_table_is_looked_up(first: int) -> None:
    entries = np.linspace(0, 65535, 2000).astype(np.uint16) ** 1
    pixels = TWELVE.astype(np.int16) - 2048 if first < 0 else TWELVE
    expected = entries[np.clip(pixels.astype(int) - first, 0, 1999)] / 65535 * 255.0

    shown(expected, file(pixels, 12, VOILUTSequence=table(first, entries)), within=0.01)


def test_voi_table_goes_before_a_window() -> None:
    upside_down = np.arange(4095, -1, -1)

    shown(255.0 - CHEST, file(TWELVE, 12, VOILUTSequence=table(0, upside_down, 12), WindowCenter=100, WindowWidth=50), within=0.1)


def test_table_that_claims_more_bits_than_it_uses_is_scaled_by_those_in_use() -> None:
    shown(CHEST, file(TWELVE, 12, VOILUTSequence=table(0, np.arange(4096), bits=16)), within=0.1)


def test_table_of_8_bits_may_come_as_bytes() -> None:
    item = Dataset()
    item.LUTDescriptor = [256, 0, 8]
    item["LUTDescriptor"].VR = "US"
    item.add_new(0x00283006, "OW", bytes(range(255, -1, -1)))

    shown(255.0 - CHEST, file(CHEST, VOILUTSequence=Sequence([item])), within=0.0)


def test_modality_table_comes_first() -> None:
    upside_down = np.arange(4095, -1, -1)

    shown(255.0 - CHEST, file(TWELVE, 12, ModalityLUTSequence=table(0, upside_down, 12)), within=0.1)
    both = file(TWELVE, 12, ModalityLUTSequence=table(0, upside_down, 12), VOILUTSequence=table(0, upside_down, 12))
    shown(CHEST, both, within=0.1)


def test_table_in_big_endian_is_read() -> None:
    data = file(TWELVE, 12, dicoms.BIG_ENDIAN, VOILUTSequence=table(0, np.arange(4095, -1, -1).astype(">u2").view("<u2"), 12))

    shown(255.0 - CHEST, data, within=0.1)


def test_damaged_table_is_refused() -> None:
    item = Dataset()
    item.add_new(0x00283006, "OW", bytes(10))

    with pytest.raises(errors.CorruptPicture, match="VOILUTSequence"):
        images.decode(file(CHEST, VOILUTSequence=Sequence([item])))


def test_empty_table_counts_as_none() -> None:
    shown(CHEST, file(CHEST, VOILUTSequence=Sequence([])), within=0.0)


@pytest.mark.parametrize(
    ("interpretation", "shape", "turned", "warnings"),
    [
        ("MONOCHROME2", "IDENTITY", False, ()),
        ("MONOCHROME1", "INVERSE", True, ()),
        ("MONOCHROME1", None, True, ()),
        ("MONOCHROME2", "INVERSE", True, ("polarity_contradicted",)),
        ("MONOCHROME1", "IDENTITY", True, ("polarity_contradicted",)),
    ],
)
def test_polarity_is_turned_once_and_a_contradiction_is_told(
    interpretation: str, shape: str | None, turned: bool, warnings: tuple[str, ...]
) -> None:
    data = file(CHEST, PhotometricInterpretation=interpretation, PresentationLUTShape=shape)

    shown(255 - CHEST if turned else CHEST, data, *warnings, within=0.0)


@pytest.mark.parametrize(("centre", "width"), [(100_000, 10), (-5000, 100), (4095 * 3, 50)])
def test_window_that_misses_the_picture_is_ignored_and_told(centre: int, width: int) -> None:
    shown(CHEST, file(TWELVE, 12, WindowCenter=centre, WindowWidth=width), "window_ignored", within=0.1)


@pytest.mark.parametrize(("centre", "width"), [("2000", "0"), ("2000", "-5"), ("", ""), ("2000", None)])
def test_window_that_is_none_is_left_out(centre: str, width: str | None) -> None:
    shown(CHEST, file(TWELVE, 12, WindowCenter=centre, WindowWidth=width), within=0.1)


def test_blank_picture_stays_blank_and_has_no_window_to_blame() -> None:
    blank = np.full((64, 64), 7, np.uint16)

    picture = images.decode(file(blank, 12, WindowCenter=2000, WindowWidth=1000))

    assert picture.grey.min() == picture.grey.max()
    assert "window_ignored" not in picture.warnings


def test_without_a_window_the_bits_in_use_set_the_scale() -> None:
    shown(CHEST, file(TWELVE, 16), "scaled_by_bits_in_use", within=0.1)
    inverted = file(4095 - TWELVE, 16, PhotometricInterpretation="MONOCHROME1")
    shown(CHEST, inverted, "scaled_by_bits_in_use", within=0.1)


def test_few_bright_pixels_do_not_make_the_picture_dark() -> None:
    pixels = (TWELVE // 8 + 1000).astype(np.uint16)
    pixels[0, :5] = 65535

    picture = images.decode(file(pixels, 16))

    assert picture.warnings == ("scaled_by_range",)
    assert picture.grey.std() > 30


def test_padding_is_air_and_sets_no_scale() -> None:
    pixels = TWELVE.copy()
    pixels[:10] = 65535

    picture = images.decode(file(pixels, 16, PixelPaddingValue=65535))

    assert picture.warnings == ("scaled_by_bits_in_use",)
    assert not picture.grey[:10].any()
    assert np.abs(picture.grey[10:] - CHEST[10:]).max() < 0.1


def test_padding_may_be_a_range_and_negative() -> None:
    pixels = TWELVE.astype(np.int16)
    pixels[:5], pixels[5:10] = -2000, -1990

    picture = images.decode(file(pixels, 16, PixelPaddingValue=-2000, PixelPaddingRangeLimit=-1990))

    assert not picture.grey[:10].any()
    assert np.abs(picture.grey[10:] - CHEST[10:]).max() < 0.1


def test_sides_of_a_pixel_do_not_change_the_picture_and_are_told() -> None:
    shown(CHEST, file(CHEST, PixelSpacing=["0.2", "0.2"]), within=0.0)
    shown(CHEST, file(CHEST, PixelSpacing=["0.2", "0.1"]), "pixels_not_square", within=0.0)
    shown(CHEST, file(CHEST, PixelAspectRatio=["1", "2"]), "pixels_not_square", within=0.0)
    shown(CHEST, file(CHEST, PixelSpacing=["0", "0"]), within=0.0)
