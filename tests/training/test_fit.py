import csv
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np
import pytest

from core.manifest import InputContract
from training import arithmetic, configuration, dataset, errors, networks, pictures, runstate
from training.batches import Batches, class_weights
from training.configuration import Configuration
from training.fit import Judge, fit

pytestmark = pytest.mark.train

CONTRACT = InputContract(height_px=64, width_px=64, channels=1, low=-1.0, high=1.0, resample="bilinear", draft_margin=0.0)
RECIPE = Configuration(arch="cnn", weights="none", head_epochs=1, epochs=2, batch_size=8, seed=2)


@pytest.fixture(scope="module")
def loaded(phantoms: Path) -> pictures.Pictures:
    return pictures.load(dataset.index(phantoms, progress=False), CONTRACT, progress=False)


def stop_after(epochs: int, seen: int = 0) -> Judge:
    """Judges every epoch better than the one before, then is interrupted; `seen` epochs were judged before."""

    def judge(model: keras.Model) -> dict[str, float]:
        nonlocal seen
        seen += 1
        if seen > epochs:
            raise KeyboardInterrupt
        return {"loss": 1.0 / seen}

    return judge


def history(work: Path) -> list[tuple[str, str]]:
    with (work / "history.csv").open() as file:
        return [(row["epoch"], row["fit_loss"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def straight(loaded: pictures.Pictures, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[np.ndarray]]:
    """The folder and the weights of a run that nothing interrupted."""
    work = tmp_path_factory.mktemp("straight")
    return work, fit(loaded, 3, RECIPE, CONTRACT, stop_after(3), work).get_weights()


@pytest.mark.parametrize("whole_epochs", [0, 1, 2], ids=["in the head phase", "between the phases", "in the second phase"])
def test_an_interrupted_run_goes_on_to_the_same_weights(
    whole_epochs: int, loaded: pictures.Pictures, straight: tuple[Path, list[np.ndarray]], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(loaded, 3, RECIPE, CONTRACT, stop_after(whole_epochs), tmp_path)
    resumed = fit(loaded, 3, RECIPE, CONTRACT, stop_after(3, whole_epochs), tmp_path)
    assert [epoch for epoch, _ in history(tmp_path)] == ["1", "2", "3"]
    losses = [[float(loss) for _, loss in history(work)] for work in (straight[0], tmp_path)]
    assert losses[0] == pytest.approx(losses[1], rel=2e-3)  # forgotten moments, frozen layers or dropout show from 1e-2 on
    for one, other in zip(straight[1], resumed.get_weights(), strict=True):
        assert np.abs(one - other).max() <= 1e-3  # Adam turns the rounding of threads into steps of up to the learning rate


def test_a_finished_run_is_not_trained_again(loaded: pictures.Pictures, straight: tuple[Path, list[np.ndarray]]) -> None:
    again = fit(loaded, 3, RECIPE, CONTRACT, stop_after(0), straight[0])
    assert all(np.array_equal(one, other) for one, other in zip(straight[1], again.get_weights(), strict=True))


def test_the_best_epoch_is_kept_and_not_the_last(loaded: pictures.Pictures, tmp_path: Path) -> None:
    judged: list[list[np.ndarray]] = []

    def judge(model: keras.Model) -> dict[str, float]:
        judged.append(model.get_weights())
        return {"loss": [0.1, 0.5, 0.9][len(judged) - 1]}

    kept = fit(loaded, 3, RECIPE, CONTRACT, judge, tmp_path).get_weights()
    # The first epoch has only a new head on an untouched base: it does not count, however good it looks.
    assert all(np.array_equal(one, other) for one, other in zip(kept, judged[1], strict=True))


def test_the_last_epoch_is_kept_where_nobody_judges(loaded: pictures.Pictures, tmp_path: Path) -> None:
    last = msgspec.structs.replace(RECIPE, keep="last")
    stops = [None, None, KeyboardInterrupt]

    def after_epoch() -> None:
        if stops and (stop := stops.pop()):
            raise stop

    with pytest.raises(KeyboardInterrupt):
        fit(loaded, 3, last, CONTRACT, None, tmp_path, after_epoch)
    kept = fit(loaded, 3, last, CONTRACT, None, tmp_path, after_epoch).get_weights()

    run = runstate.read(tmp_path)
    assert run is not None
    assert (run.done, run.best_epoch, run.best_loss) == (3, 3, None)
    assert (tmp_path / "history.csv").read_text().startswith("epoch,fit_loss\n")
    assert len(history(tmp_path)) == 3
    # The kept weights are the averaged ones; the checkpoint holds those that would learn on.
    learning = keras.models.load_model(tmp_path / "epoch-003.keras").get_weights()
    assert not all(np.array_equal(one, other) for one, other in zip(kept, learning, strict=True))
    again = fit(loaded, 3, last, CONTRACT, None, tmp_path).get_weights()
    assert all(np.array_equal(one, other) for one, other in zip(kept, again, strict=True))
    with pytest.raises(ValueError, match="Expected a judge"):
        fit(loaded, 3, RECIPE, CONTRACT, None, tmp_path)


def test_a_share_of_the_start_is_in_what_is_kept(loaded: pictures.Pictures, tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(RECIPE, keep="last", head_epochs=0, ema=0.0, start_share=0.25)  # ema 0: what learns is what is kept

    def start() -> keras.Model:
        keras.utils.set_random_seed(5)
        return networks.build("cnn", "none", 3, recipe.dropout, CONTRACT)

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(loaded, 3, recipe, CONTRACT, None, tmp_path, interrupt, start)
    kept = fit(loaded, 3, recipe, CONTRACT, None, tmp_path, start=start)

    learned = keras.models.load_model(tmp_path / "epoch-002.keras")
    for old, new, mean in zip(start().trainable_weights, learned.trainable_weights, kept.trainable_weights, strict=True):
        assert np.allclose(mean, 0.25 * np.asarray(old) + 0.75 * np.asarray(new), rtol=0.0, atol=1e-6)
    assert not all(np.allclose(old, mean, atol=1e-4) for old, mean in zip(learned.get_weights(), kept.get_weights(), strict=True))
    settled = networks.remade(kept, 64)
    networks.settle(settled, [pictures.inputs(loaded.grey, CONTRACT)])  # of the mean, of neither of the two
    for one, other in zip(kept.get_weights(), settled.get_weights(), strict=True):
        assert np.allclose(one, other, rtol=0.0, atol=1e-5)
    with pytest.raises(ValueError, match="Expected a network to start from"):
        fit(loaded, 3, recipe, CONTRACT, None, tmp_path)


def test_patience_needs_epochs_that_are_judged(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text('keep = "last"\npatience = 3\n')
    with pytest.raises(errors.InvalidConfiguration, match="patience 0 with keep"):
        configuration.read(tmp_path / "recipe.toml", {})


def test_the_head_phase_leaves_the_base_as_it_was(loaded: pictures.Pictures, tmp_path: Path) -> None:
    bases: list[list[np.ndarray]] = []

    def judge(model: keras.Model) -> dict[str, float]:
        bases.append(next(layer for layer in model.layers if isinstance(layer, keras.Model)).get_weights())
        return {"loss": 1.0}

    fit(loaded, 3, msgspec.structs.replace(RECIPE, head_epochs=2, epochs=1), CONTRACT, judge, tmp_path)
    assert all(np.array_equal(one, other) for one, other in zip(bases[0], bases[1], strict=True))
    assert not all(np.array_equal(one, other) for one, other in zip(bases[1], bases[2], strict=True))


def test_a_step_is_traced_once_in_each_phase(loaded: pictures.Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traced, step = [], keras.Model.train_step

    def counted(model: keras.Model, data: Any) -> Any:
        traced.append(model)
        return step(model, data)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    fit(loaded, 3, msgspec.structs.replace(RECIPE, keep="last", epochs=1), CONTRACT, None, tmp_path)
    assert len(traced) == 2


def test_class_weights_make_every_class_weigh_the_same() -> None:
    labels = np.array([0] * 10 + [1] * 30 + [2] * 20)
    weights = class_weights(labels, 3)
    assert np.allclose([weights[label] * np.sum(labels == label) for label in range(3)], 20.0)
    assert weights[labels].mean() == pytest.approx(1.0)


def test_batches_are_the_same_for_one_seed_and_show_every_picture_once(loaded: pictures.Pictures) -> None:
    one, same, other = (Batches(loaded, CONTRACT, RECIPE.augmentation, 7, 3, (2, epoch)) for epoch in (0, 0, 1))
    assert len(one) == 4
    assert sum(len(one[index][0]) for index in range(4)) == 24
    assert np.array_equal(one[0][0], same[0][0])
    assert not np.array_equal(one[0][0], other[0][0])
    values, targets, weights = one[3]
    assert values.shape == (3, 64, 64, 1)
    assert values.dtype == targets.dtype == weights.dtype == np.float32
    assert values.min() >= -1.0
    assert values.max() <= 1.0


def test_a_run_ends_early_when_patience_runs_out(loaded: pictures.Pictures, tmp_path: Path) -> None:
    losses = iter([0.1, 0.5, 0.9, 0.8, 0.3])

    def judge(model: keras.Model) -> dict[str, float]:
        return {"loss": next(losses)}

    patient = msgspec.structs.replace(RECIPE, epochs=4, patience=2)
    fit(loaded, 3, patient, CONTRACT, judge, tmp_path)
    assert [epoch for epoch, _ in history(tmp_path)] == ["1", "2", "3", "4"]  # the second is the best, two worse ones follow
    fit(loaded, 3, patient, CONTRACT, judge, tmp_path)
    assert len(history(tmp_path)) == 4  # and asking again does not wake it


def test_learning_at_a_smaller_side_gives_a_network_of_the_served_side(loaded: pictures.Pictures, tmp_path: Path) -> None:
    asked: list[tuple[int | None, ...]] = []

    def judge(model: keras.Model) -> dict[str, float]:
        asked.append(model.input_shape)
        return {"loss": 1.0 / len(asked)}

    smaller = msgspec.structs.replace(RECIPE, epochs=1, fit_side_px=32)
    kept = fit(loaded, 3, smaller, CONTRACT, judge, tmp_path)
    assert kept.input_shape == (None, 64, 64, 1)
    assert asked == [(None, 64, 64, 1)] * 2
    learning = keras.models.load_model(tmp_path / "epoch-002.keras")
    assert learning.input_shape == (None, 32, 32, 1)


def test_a_network_without_a_feature_map_has_one_size_only(loaded: pictures.Pictures, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match="fit_side_px"):
        fit(loaded, 3, msgspec.structs.replace(RECIPE, arch="dense", fit_side_px=32), CONTRACT, stop_after(1), tmp_path)


@pytest.mark.parametrize("arch", ["cnn", "dense"])
def test_learning_in_bfloat16_gives_a_network_of_float32(
    arch: str, loaded: pictures.Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arithmetic, "seconds", {"bfloat16": 1.0, "float32": 2.0}.__getitem__)
    halved = msgspec.structs.replace(RECIPE, arch=arch, epochs=1, precision="bfloat16")
    kept = fit(loaded, 3, halved, CONTRACT, stop_after(2), tmp_path)
    learning = keras.models.load_model(tmp_path / "epoch-002.keras")
    policies = [{layer.dtype_policy.name for layer in networks.base_of(model).layers[1:]} for model in (kept, learning)]
    assert policies == [{"float32"}, {"mixed_bfloat16"}]
    assert {weight.dtype for weight in learning.weights} == {"float32"}
    assert np.isfinite(kept.predict(pictures.inputs(loaded.grey, CONTRACT), verbose=0)).all()


def test_a_machine_that_is_slower_in_bfloat16_learns_in_float32_and_says_so(
    loaded: pictures.Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(arithmetic, "seconds", {"bfloat16": 9.0, "float32": 2.0}.__getitem__)
    fit(loaded, 3, msgspec.structs.replace(RECIPE, epochs=1, precision="bfloat16"), CONTRACT, stop_after(2), tmp_path)
    learning = keras.models.load_model(tmp_path / "epoch-002.keras")
    assert {layer.dtype_policy.name for layer in networks.base_of(learning).layers[1:]} == {"float32"}
    state = runstate.read(tmp_path)
    assert state is not None
    assert (state.precision, state.learned_on) == ("float32", arithmetic.backend())
    assert "learning in float32: bfloat16, which the recipe asks for, takes 4.5 times as long here" in caplog.text
