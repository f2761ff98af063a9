"""What a training run is asked to do: recorded in the work folder, and in the manifest of the package that comes of it."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from core import manifest
from core.manifest import MANIFEST_FILE
from training import errors
from training.augment import Augmentation

Positive = Annotated[float, Meta(gt=0.0)]


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The recipe of one run. The same recipe, data set and seed give the same split and the same order of pictures.

    Attributes:
        arch: one of `training.networks.NAMES`.
        weights: "imagenet", "none", the path of a weights file, or the folder of a package of the same data set and seed, to go on from.
        head_epochs: passes over the fit pictures with a frozen base. `read` asks for none where the base has no weights to keep.
        epochs: passes with all layers.
        keep: which epoch's network is kept: "best", by the patients who choose, or "last", so that none of them has a say in it and no
            time goes into asking them.
        patience: passes with all layers without a better one after which the run ends early; 0 never ends it.
        side_px: side of the pictures that the network takes; 0 is the architecture's own.
        fit_side_px: side that pictures are shown at while learning; 0 is the network's own. Random crops make a chest look larger than it
            is in the whole picture that is asked about later; a smaller side undoes that (Touvron et al. 2019) and takes less time.
        statistics: of batch norm, in a base with initial weights: "learned" from each batch, or "fixed" as they came.
        precision: of the arithmetic while learning: "float32", or "bfloat16" for layers whose weights stay float32, which takes about half
            the time where the processor multiplies bfloat16 and most of the work is convolutions (VGG16). A machine that would take longer
            in it learns in float32 and says so. What is served is float32.
        batch_size: pictures a step.
        head_learning_rate: Adam's, constant, while the base is frozen.
        learning_rate: peak of AdamW's when all layers learn; half an epoch of warm-up, then a cosine to 0.
        weight_decay: AdamW's, on all weights.
        ema: momentum of the moving average of the weights, which is what is evaluated and exported. At 0.99 it spans 100 steps.
        start_share: how much of the package that a training goes on from is in what is judged and kept: the mean of both networks' weights,
            by this share (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). What the old network knew and the new pictures
            do not ask for stays. What learns on is the new network alone.
        label_smoothing: share of the target spread over all labels.
        soft_targets: a file of `pneumonia crossval --teaching` with the same seed, or "": a picture is taught what networks that never saw
            its patient say of it, beside its label, which may be wrong.
        soft_share: how much of the target is theirs, where there are soft targets.
        soft_labels: which labels they may move: "all", or "kinds", so that whether a picture shows pneumonia is the label's alone.
        dropout: share of the features dropped.
        seed: of the split, the initial weights, the order and the augmentation.
        augmentation: how far the pictures are varied.
    """

    arch: str = "mobilenetv2"
    weights: str = "imagenet"
    head_epochs: Annotated[int, Meta(ge=0)] = 1
    epochs: Annotated[int, Meta(ge=1)] = 8
    keep: Literal["best", "last"] = "best"
    patience: Annotated[int, Meta(ge=0)] = 0
    side_px: Annotated[int, Meta(ge=0, multiple_of=32)] = 0
    fit_side_px: Annotated[int, Meta(ge=0, multiple_of=32)] = 0
    statistics: Literal["learned", "fixed"] = "learned"
    precision: Literal["float32", "bfloat16"] = "float32"
    batch_size: Annotated[int, Meta(ge=1)] = 32
    head_learning_rate: Positive = 1e-3
    learning_rate: Positive = 5e-4
    weight_decay: Annotated[float, Meta(ge=0.0)] = 1e-2
    ema: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.99
    start_share: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.0
    label_smoothing: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.05
    soft_targets: str = ""
    soft_share: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.5
    soft_labels: Literal["all", "kinds"] = "all"
    dropout: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.3
    seed: Annotated[int, Meta(ge=0)] = 1
    augmentation: Augmentation = Augmentation()

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ValueError: patience waits for a better epoch where none is asked for.
        """
        if self.keep == "last" and self.patience:
            raise ValueError(f'Expected patience 0 with keep "last", which asks for no better epoch. Received: patience {self.patience}')


def read(file: Path | None, options: Mapping[str, Any]) -> Configuration:
    """Return the recipe of a TOML file, where one is given, with the options of the command over it.

    Args:
        file: keys are the fields of `Configuration`, those of `Augmentation` in a table `[augmentation]`. Or the manifest.json of a
            package: the recipe that it was trained by.
        options: fields of `Configuration` that the command gave.

    Raises:
        errors.InvalidConfiguration: the file cannot be read, has an unknown key, or a value that makes no sense.
        errors.InvalidOption: an option has a value that makes no sense.
    """
    table = _table(file) if file else {}
    _convert(table, errors.InvalidConfiguration, f" in {file}")
    asked = {**table, **options}
    if asked.get("weights") == "none":
        asked.setdefault("head_epochs", 0)  # a head learns little on a frozen base that knows nothing
    return _convert(asked, errors.InvalidOption, "")


def _table(file: Path) -> dict[str, Any]:
    if file.name == MANIFEST_FILE:
        return _of_package(file)
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise errors.InvalidConfiguration(f"Expected a readable TOML file. Received: {file}: {error.strerror}.") from error
    except ValueError as error:  # TOML's errors are, and bytes that are not UTF-8
        raise errors.InvalidConfiguration(f"Expected TOML. Received: {file}: {error}.") from error
    _refuse_unknown(table, Configuration.__struct_fields__, file)
    if isinstance(table.get("augmentation"), dict):
        _refuse_unknown(table["augmentation"], Augmentation.__struct_fields__, file)
    return table


def _of_package(file: Path) -> dict[str, Any]:
    """Return the recipe of a package, without what was recorded beside it."""
    try:
        config = manifest.read(file.parent)[0].origin.config
    except (OSError, ValueError) as error:
        raise errors.InvalidConfiguration(f"Expected the {MANIFEST_FILE} of a package. Received: {file}: {error}.") from error
    if "arch" not in config:
        raise errors.InvalidConfiguration(f"Expected a package that was trained here. Received: {file}, which names no architecture.")
    return {key: value for key, value in config.items() if key in Configuration.__struct_fields__}


def _refuse_unknown(table: Mapping[str, Any], known: tuple[str, ...], file: Path) -> None:
    """A misspelt key would train with the default, for hours, and nobody would know."""
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise errors.InvalidConfiguration(f"Expected keys among {', '.join(known)}. Received: {key} in {file}{hint}")


def _convert(table: Mapping[str, Any], error: type[errors.TrainingError], where: str) -> Configuration:
    try:
        return msgspec.convert(dict(table), Configuration)
    except msgspec.ValidationError as cause:
        raise error(f"{cause}{where}.") from cause
