"""What a training run is asked to do: recorded in the work folder, and in the manifest of the package that comes of it."""

from typing import Annotated

import msgspec
from msgspec import Meta

from training.augment import Augmentation

Positive = Annotated[float, Meta(gt=0.0)]


class Configuration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The recipe of one run. The same recipe, data set and seed give the same split and the same order of pictures.

    Attributes:
        arch: one of `training.networks.NAMES`.
        weights: "imagenet", "none" or the path of a weights file.
        head_epochs: passes over the fit pictures with a frozen base.
        epochs: passes with all layers.
        batch_size: pictures a step.
        head_learning_rate: Adam's, constant, while the base is frozen.
        learning_rate: peak of AdamW's when all layers learn; half an epoch of warm-up, then a cosine to 0.
        weight_decay: AdamW's, on all weights.
        ema: momentum of the moving average of the weights, which is what is evaluated and exported. At 0.99 it spans 100 steps.
        label_smoothing: share of the target spread over all labels.
        dropout: share of the features dropped.
        seed: of the split, the initial weights, the order and the augmentation.
        augmentation: how far the pictures are varied.
    """

    arch: str = "mobilenetv2"
    weights: str = "imagenet"
    head_epochs: Annotated[int, Meta(ge=0)] = 1
    epochs: Annotated[int, Meta(ge=1)] = 8
    batch_size: Annotated[int, Meta(ge=1)] = 32
    head_learning_rate: Positive = 1e-3
    learning_rate: Positive = 5e-4
    weight_decay: Annotated[float, Meta(ge=0.0)] = 1e-2
    ema: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.99
    label_smoothing: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.05
    dropout: Annotated[float, Meta(ge=0.0, lt=1.0)] = 0.3
    seed: Annotated[int, Meta(ge=0)] = 1
    augmentation: Augmentation = Augmentation()
