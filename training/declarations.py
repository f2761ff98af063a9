"""What a model from elsewhere takes and means: told by a person, or seen in the network. What neither tells is asked for in a sentence."""

from pathlib import Path
from typing import Final, NamedTuple

import keras
import msgspec
import numpy as np
import numpy.typing as npt

from core.manifest import InputContract, Label
from training import assembly, conventions, errors, heads
from training.heads import Head
from training.labelled import Labelled
from training.names import NORMAL

CODES: Final = {NORMAL: "17621005", "pneumonia": assembly.PNEUMONIA_CODE} | {label.name: label.code for label in assembly.LABELS}
"""SNOMED CT codes of the labels that are known by name."""
ALWAYS_IN_FULL: Final = 60.0
"""A draft margin that no log-odds reach (1e-12 bounds them at 27.6): large JPEGs are always decoded in full."""

Found = dict[str, str]
"""What is known of a model, and how."""


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says of the model; None where the model itself may tell."""

    labels: str | None = None
    negative: str | None = None
    values: str | None = None
    size: str | None = None
    resample: str | None = None
    dataset: Path | None = None
    pictures: Path | None = None
    intended_use: str | None = None


class Labels(NamedTuple):
    """The labels in the order of the outputs, and the name of the one that is no pneumonia."""

    labels: tuple[Label, ...]
    negative: str

    @property
    def names(self) -> list[str]:
        """Their names, in order."""
        return [label.name for label in self.labels]


def size(model: keras.Model, declared: Declared, found: Found) -> InputContract:
    """Return the input that the network takes, but for the range of its values.

    Raises:
        errors.ConventionUnknown, errors.InvalidOption, errors.UnreadableModel: it is not known, or not what the network takes.
    """
    _, height, width, channels = model.inputs[0].shape
    known = "the network's input"
    if declared.size is not None:
        try:
            given = [int(part) for part in declared.size.lower().split("x")]
            given_height, given_width = given if len(given) == 2 else given * 2
        except ValueError:
            raise errors.InvalidOption(f"Expected --size HEIGHTxWIDTH in pixels. Received: {declared.size!r}.") from None
        if height not in (None, given_height) or width not in (None, given_width):
            raise errors.InvalidOption(f"Expected a size that the network takes, {height}x{width}. Received: --size {declared.size}.")
        height, width, known = given_height, given_width, "given"
    if height is None or width is None:
        raise errors.ConventionUnknown("Expected --size HEIGHTxWIDTH: the network takes pictures of any size, and was trained on one.")
    if channels not in (1, 3):
        raise errors.UnreadableModel(f"Expected a network that takes 1 or 3 channels, the last axis. Received: {channels}.")
    found["size"] = f"{height} x {width} pixels, {channels} channels ({known})"
    found["resize"] = (
        f"{declared.resample} (given)" if declared.resample else "bilinear (the default; --resample if it was trained otherwise)"
    )
    try:
        return msgspec.convert(
            {
                "height_px": height,
                "width_px": width,
                "channels": channels,
                "low": 0.0,
                "high": 255.0,
                "resample": declared.resample or "bilinear",
                "draft_margin": ALWAYS_IN_FULL,
            },
            InputContract,
        )
    except msgspec.ValidationError as error:
        raise errors.InvalidOption(f"Expected pixels and a way to resize that serving knows. Received: {error}.") from error


def labels(declared: Declared, head: Head, found: Found) -> Labels:
    """Return the labels.

    Raises:
        errors.ConventionUnknown, errors.InvalidOption: they are not told, or do not fit the outputs.
    """
    if not declared.labels:
        order = "in the order of its outputs" if head.ending == "softmax" else "what its sigmoid calls 0 first, what it calls 1 second"
        raise errors.ConventionUnknown(f"Expected --labels with {head.labels} names, {order}: no network tells its labels.")
    told = []
    for part in declared.labels.split(","):
        name, _, code = (text.strip() for text in part.partition("="))
        code = code or CODES.get(name.lower(), "")
        try:
            told.append(msgspec.convert({"name": name.lower() if name.lower() in CODES else name, "code": code}, Label))
        except msgspec.ValidationError:
            raise errors.ConventionUnknown(
                f"Expected labels among {', '.join(CODES)}, or NAME=CODE with the SNOMED CT code of another. Received: {part.strip()!r}."
            ) from None
    names = [label.name for label in told]
    if len(set(names)) != head.labels or len(names) != head.labels:
        raise errors.InvalidOption(f"Expected {head.labels} labels, one for each output. Received: {', '.join(names)}.")
    negative = declared.negative or (NORMAL if NORMAL in names else None)
    if negative is None:
        raise errors.ConventionUnknown(f"Expected --negative with the label that is no pneumonia. Received: {', '.join(names)}.")
    if negative not in names:
        raise errors.InvalidOption(f"Expected --negative to be one of {', '.join(names)}. Received: {negative!r}.")
    found["labels"] = f"{', '.join(names)} (given)"
    found["negative"] = f"{negative} ({'given' if declared.negative else 'its name says so'})"
    return Labels(tuple(told), negative)


def values(
    flat: keras.Model,
    model: keras.Model,
    head: Head,
    negative: int,
    contract: InputContract,
    declared: Declared,
    labelled: Labelled | None,
    found: Found,
) -> str:
    """Return the name of the convention of values, one of `conventions.VALUES`.

    Args:
        flat: the flattened model, whose first layers may tell.
        model: the model as it came, which is tried where they do not.
        head: its end.
        negative: the position of the negative label.
        contract: the input but for its range.
        declared: may tell.
        labelled: pictures to try on, or None.
        found: is told how it is known.

    Raises:
        errors.ConventionUnknown, errors.InvalidOption: nothing tells, or it cannot be.
    """
    names = [name for name, values in conventions.VALUES.items() if contract.channels == 3 or not values.mean]
    if declared.values is not None:
        if declared.values not in names:
            raise errors.InvalidOption(
                f"Expected --values to be one of {', '.join(names)} for {contract.channels} channels. Received: {declared.values!r}."
            )
        found["values"] = f"{declared.values} (given)"
        return declared.values
    told = conventions.of_layers(flat)
    if told is None and labelled is not None:
        given = {name: conventions.VALUES[name].of_grey(labelled.grey, contract.channels) for name in names}
        losses = {name: _losses(model, head, negative, given[name], labelled.pneumonia) for name in names}
        told = conventions.of_pictures(losses, labelled.groups)
    if told is None:
        raise errors.ConventionUnknown(
            f"Expected --values ({conventions.MEANING}), or --dataset with labelled pictures to try them on. Received: a network whose "
            "first layers do not tell which values it was trained on."
        )
    found["values"] = f"{told[0]} ({told[1]})"
    return told[0]


def _losses(
    model: keras.Model, head: Head, negative: int, given: npt.NDArray[np.float32], pneumonia: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return -log of the probability that the model, as it is, gives to what is true, pneumonia or not: float64 array (N,)."""
    normal = heads.predict(model, head, given)[:, negative]
    return np.asarray(-np.log(np.maximum(np.where(pneumonia, 1.0 - normal, normal), 1e-12)))
