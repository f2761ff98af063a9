"""Two phases of learning: the head on a frozen base, then all layers; a checkpoint after every epoch, and the best epoch kept.

The state of a run is one folder. Killed at any point, the same command goes on after the last whole epoch.
"""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import keras
import msgspec
import numpy as np
from tqdm import tqdm

from core.manifest import InputContract
from training import arithmetic, networks, pace, runstate
from training.batches import Batches
from training.configuration import Configuration
from training.pictures import Pictures, inputs
from training.runstate import State

_log = logging.getLogger(__name__)

_SETTLING_BATCHES: Final = 16
_SETTLING_BATCH: Final = 64

Judge = Callable[[keras.Model], dict[str, float]]
"""Judges a model by its averaged weights; "loss" decides which epoch is kept, the rest is for the history."""

Start = Callable[[], keras.Model]
"""Gives the model that a fit starts from, as `networks.build` makes them."""


class _Run(NamedTuple):
    """What stays the same over the epochs of a fit.

    `model` learns; `asked`, which may be the same, is the network as it is served: it is judged and kept.
    """

    model: keras.Model
    asked: keras.Model
    judge: Judge | None
    work: Path
    configuration: Configuration


def _nothing() -> None:
    """What follows an epoch where nobody watches."""


def fit(
    pictures: Pictures,
    labels: int,
    configuration: Configuration,
    contract: InputContract,
    judge: Judge | None,
    work: Path,
    after_epoch: Callable[[], None] = _nothing,
    start: Start | None = None,
) -> keras.Model:
    """Train, or go on training, and return the kept epoch's model with its averaged weights.

    Args:
        pictures: what to learn from.
        labels: number of classes.
        configuration: the recipe.
        contract: the network's input.
        judge: called after every epoch; None where the recipe keeps the last.
        work: folder of the run's state; created when missing.
        after_epoch: called when an epoch is in the history and counts.
        start: gives the model to start from; None builds that of the recipe.

    Raises:
        errors.InitialWeightsUnusable, errors.UnknownArchitecture: see `networks.build`.
        ValueError: judge and recipe contradict each other, or a share of a start is asked for where there is none.
    """
    if (configuration.keep == "best") != (judge is not None):
        raise ValueError(f"Expected a judge where the best epoch is kept, and only there. Received: keep {configuration.keep!r}.")
    if configuration.start_share and start is None:
        raise ValueError(f"Expected a network to start from, to keep a share of it. Received: start_share {configuration.start_share}.")
    work.mkdir(parents=True, exist_ok=True)
    shown = _shown(contract, configuration)
    state, model = _resume(work, labels, configuration, contract, start)
    begun = _begun(state, model, start, configuration)
    asked = model if _as_served(contract, configuration) else networks.remade(model, contract.width_px)
    run = _Run(model, asked, judge, work, configuration)
    steps = -(-len(pictures.labels) // configuration.batch_size)
    for epoch in range(state.done, configuration.head_epochs + configuration.epochs):
        if runstate.enough(state, configuration):
            _log.info("no better epoch since epoch %d: the run ends early", state.best_epoch)
            break
        if epoch == 0 and configuration.head_epochs:
            _compile_head(model, configuration)
        if epoch == configuration.head_epochs:
            _compile_all(model, configuration)
        batches = Batches(pictures, shown, configuration.augmentation, configuration.batch_size, labels, (configuration.seed, epoch))
        _seed_dropout(model, configuration, epoch)
        paced = [pace.Pace(configuration.learning_rate, steps, steps * configuration.epochs)] if epoch >= configuration.head_epochs else []
        result = _run_epoch(model, batches, epoch, paced)
        if judge or _is_last(epoch, configuration):
            asked.set_weights(_shared(begun, model.get_weights(), configuration.start_share))
            networks.settle(asked, _whole(pictures, contract, (configuration.seed, epoch)))
        state = _conclude(run, state, epoch, result)
        after_epoch()
    return keras.models.load_model(work / runstate.BEST_FILE, compile=False)


def _shown(contract: InputContract, configuration: Configuration) -> InputContract:
    """Return the input while learning, which may be smaller than the one that is served."""
    side_px = configuration.fit_side_px
    return msgspec.structs.replace(contract, height_px=side_px, width_px=side_px) if side_px else contract


def _as_served(contract: InputContract, configuration: Configuration) -> bool:
    """Return whether the model that learns is the one that is served, not one of another side or precision."""
    return _shown(contract, configuration) == contract and configuration.precision == "float32"


def _begun(state: State, model: keras.Model, start: Start | None, configuration: Configuration) -> Sequence[Any]:
    """Return the weights that the fit started from, where a share of them is to be kept and an epoch is left to keep it."""
    if start is None or not configuration.start_share or runstate.enough(state, configuration):
        return ()
    weights: Sequence[Any] = (start() if state.done else model).get_weights()
    return weights


def _shared(begun: Sequence[Any], learned: Sequence[Any], share: float) -> Sequence[Any]:
    """Return what was learned, or its mean by share with what a fit started from; learned statistics of batch norm are to be taken anew."""
    return [share * old + (1.0 - share) * new for old, new in zip(begun, learned, strict=True)] if begun else learned


def _whole(pictures: Pictures, contract: InputContract, seed: tuple[int, int]) -> Iterator[Any]:
    """Yield batches of pictures as they are, to take statistics from; as many of them as settle a mean."""
    order = np.random.default_rng(seed).permutation(len(pictures.labels))[: _SETTLING_BATCHES * _SETTLING_BATCH]
    for start in range(0, len(order), _SETTLING_BATCH):
        yield inputs(pictures.grey[order[start : start + _SETTLING_BATCH]], contract)


def _resume(
    work: Path, labels: int, configuration: Configuration, contract: InputContract, start: Start | None
) -> tuple[State, keras.Model]:
    """Return the last whole epoch's state and model with its optimizer, or a fresh start."""
    if state := runstate.read(work):
        _log.info("going on after epoch %d of the run in %s", state.done, work)
        return state, keras.models.load_model(work / state.checkpoint)
    precision = arithmetic.affordable(configuration.precision)  # it draws numbers: before the seed is set
    keras.utils.set_random_seed(configuration.seed)
    given = configuration
    model = start() if start else networks.build(given.arch, given.weights, labels, given.dropout, contract, given.statistics)
    if _as_served(contract, configuration):
        return State(precision=precision), model
    return State(precision=precision), networks.remade(model, _shown(contract, configuration).width_px, precision)


def _compile_head(model: keras.Model, configuration: Configuration) -> None:
    networks.freeze(model)
    optimizer = keras.optimizers.Adam(configuration.head_learning_rate, use_ema=True, ema_momentum=configuration.ema)
    _compile(model, optimizer, configuration)


def _compile_all(model: keras.Model, configuration: Configuration) -> None:
    """All layers learn, at the learning rate that `pace` sets."""
    networks.thaw(model)
    optimizer = keras.optimizers.AdamW(
        pace.start(configuration.learning_rate),
        weight_decay=configuration.weight_decay,
        global_clipnorm=1.0,
        use_ema=True,
        ema_momentum=configuration.ema,
    )
    _compile(model, optimizer, configuration)


def _compile(model: keras.Model, optimizer: keras.optimizers.Optimizer, configuration: Configuration) -> None:
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=configuration.label_smoothing)
    model.compile(optimizer=optimizer, loss=loss, jit_compile=False)
    optimizer.build(model.trainable_variables)  # else Keras makes its variables in the first step, which TensorFlow then traces twice


def _seed_dropout(model: keras.Model, configuration: Configuration, epoch: int) -> None:
    """Let dropout depend on seed and epoch alone: Keras does not save how far its generator has come, and a resumed run would differ."""
    if configuration.dropout:
        state = np.array([configuration.seed % 2**32, epoch << 20], dtype=np.uint32)  # room for a million steps an epoch
        model.get_layer("dropout").seed_generator.state.assign(state)


def _run_epoch(model: keras.Model, batches: Batches, epoch: int, paced: Sequence[keras.callbacks.Callback]) -> tuple[float, list[Any]]:
    """Fit one epoch under a progress bar.

    Returns:
        The mean loss and the learning weights. The model itself is left with the averaged ones: Keras puts them in when `fit` ends.
    """
    learning: list[Any] = []
    with tqdm(total=len(batches), desc=f"epoch {epoch + 1}", unit="batch", mininterval=1.0) as bar:

        def advance(batch: int, logs: dict[str, Any] | None = None) -> None:
            bar.set_postfix(loss=f"{(logs or {}).get('loss', math.nan):.4f}", refresh=False)
            bar.update()

        def remember(epoch: int, logs: dict[str, Any] | None = None) -> None:
            learning.extend(model.get_weights())

        callback = keras.callbacks.LambdaCallback(on_train_batch_end=advance, on_epoch_end=remember)
        history = model.fit(batches, verbose=0, shuffle=False, callbacks=[*paced, callback])
    return float(history.history["loss"][-1]), learning


def _is_best(loss: float, epoch: int, state: State, configuration: Configuration) -> bool:
    """Return whether an epoch of all layers is better than those before."""
    return epoch >= configuration.head_epochs and (state.best_loss is None or loss < state.best_loss)


def _is_last(epoch: int, configuration: Configuration) -> bool:
    return epoch + 1 == configuration.head_epochs + configuration.epochs


def _conclude(run: _Run, state: State, epoch: int, result: tuple[float, list[Any]]) -> State:
    """Judge the averaged weights, keep them if they are to be kept, and make the epoch count.

    The checkpoint keeps the learning weights. The state file names it and is replaced last, so that a run killed in between goes on from
    the epoch before.
    """
    judge, work = run.judge, run.work
    loss, learning = result
    verdict = judge(run.asked) if judge else {}
    wanted = _is_best(verdict["loss"], epoch, state, run.configuration) if judge else _is_last(epoch, run.configuration)
    if wanted:
        runstate.replace(work / runstate.BEST_FILE, run.asked.save)
    run.model.set_weights(learning)
    checkpoint = work / f"epoch-{epoch + 1:03d}.keras"
    runstate.replace(checkpoint, run.model.save)
    tuned = {f"tune_{name}": value for name, value in verdict.items()}
    runstate.note(work / runstate.HISTORY_FILE, {"epoch": epoch + 1, "fit_loss": loss, **tuned})
    concluded = State(
        done=epoch + 1,
        precision=state.precision,
        learned_on=state.learned_on | arithmetic.backend(),
        checkpoint=checkpoint.name,
        best_loss=verdict.get("loss") if wanted else state.best_loss,
        best_epoch=epoch + 1 if wanted else state.best_epoch,
    )
    runstate.replace(work / runstate.STATE_FILE, msgspec.json.encode(concluded))
    for old in work.glob("epoch-*.keras"):
        if old != checkpoint:
            old.unlink()
    return concluded
