from pathlib import Path

import keras
import numpy as np
import pytest

from core.manifest import InputContract
from training import architectures, errors, networks

pytestmark = pytest.mark.train

SMALL = InputContract(height_px=64, width_px=64, channels=1, low=-1.0, high=1.0, resample="bilinear", draft_margin=0.0)


def grey_inputs(count: int = 4) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1.0, 1.0, (count, 64, 64, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def outputs() -> list[np.ndarray]:
    keras.utils.set_random_seed(3)
    model = networks.build("cnn", "none", 3, contract=SMALL)
    return [np.asarray(model(grey_inputs())), *(np.asarray(value) for value in networks.with_outputs(model)(grey_inputs()))]


def test_the_mean_of_the_maps_over_space_is_the_logits(outputs: list[np.ndarray]) -> None:
    logits, _, maps, _ = outputs
    assert np.allclose(maps.mean(axis=(1, 2)), logits, rtol=0.0, atol=1e-6)


def test_the_probabilities_are_the_softmax_of_the_logits(outputs: list[np.ndarray]) -> None:
    logits, probabilities, _, _ = outputs
    odds = np.exp(logits)
    assert np.allclose(probabilities, odds / odds.sum(axis=1, keepdims=True), rtol=0.0, atol=1e-6)


def test_outputs_are_told_apart_by_shape(outputs: list[np.ndarray]) -> None:
    assert [value.shape for value in outputs[1:]] == [(4, 3), (4, 4, 4, 3), (4, 128)]


def test_summed_kernels_answer_as_three_equal_channels_did(tmp_path: Path) -> None:
    keras.utils.set_random_seed(5)
    colour = architectures._cnn(64, 64, 3, None)
    colour.save_weights(tmp_path / "colour.weights.h5")
    grey = networks.base_of(networks.build("cnn", str(tmp_path / "colour.weights.h5"), 3, contract=SMALL))
    expected = np.asarray(colour(np.repeat(grey_inputs(), 3, axis=3), training=False))
    assert np.allclose(np.asarray(grey(grey_inputs(), training=False)), expected, rtol=0.0, atol=1e-5)


def test_weights_of_one_channel_are_taken_as_they_are(tmp_path: Path) -> None:
    keras.utils.set_random_seed(5)
    given = architectures._cnn(64, 64, 1, None)
    given.save_weights(tmp_path / "grey.weights.h5")
    taken = networks.base_of(networks.build("cnn", str(tmp_path / "grey.weights.h5"), 3, contract=SMALL))
    assert all(np.array_equal(one, other) for one, other in zip(given.get_weights(), taken.get_weights(), strict=True))


def test_a_pretrained_base_keeps_fixed_statistics_while_training(tmp_path: Path) -> None:
    architectures._cnn(64, 64, 3, None).save_weights(tmp_path / "colour.weights.h5")
    file = str(tmp_path / "colour.weights.h5")
    for weights, statistics, same in ((file, "fixed", True), (file, "learned", False), ("none", "fixed", False)):
        model = networks.build("cnn", weights, 3, dropout=0.0, contract=SMALL, statistics=statistics)
        learning, answering = (np.asarray(model(grey_inputs(), training=training)) for training in (True, False))
        assert np.allclose(learning, answering, atol=1e-6) == same


def test_vgg16_from_scratch_passes_on_what_it_is_given() -> None:
    keras.utils.set_random_seed(3)
    features = np.asarray(architectures._vgg16(64, 64, 1, None)(grey_inputs()))
    assert 0.1 < features.std() < 10.0


@pytest.mark.parametrize(
    ("name", "weights", "error"),
    [
        ("resnet1000", "none", errors.UnknownArchitecture),
        ("cnn", "imagenet", errors.InitialWeightsUnusable),
        ("dense", "imagenet", errors.InitialWeightsUnusable),
        ("cnn", "nowhere.weights.h5", errors.InitialWeightsUnusable),
    ],
)
def test_what_cannot_be_built_is_refused_with_a_sentence(name: str, weights: str, error: type[errors.TrainingError]) -> None:
    with pytest.raises(error, match=r"Expected .*Received: "):
        networks.build(name, weights, 3, contract=SMALL)


def test_a_weights_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.weights.h5").write_bytes(b"no weights")
    with pytest.raises(errors.InitialWeightsUnusable, match=r"other\.weights\.h5"):
        networks.build("cnn", str(tmp_path / "other.weights.h5"), 3, contract=SMALL)


def test_fine_tuning_leaves_no_tensor_of_the_initial_weights_as_it_was(tmp_path: Path) -> None:
    keras.utils.set_random_seed(5)
    architectures._cnn(64, 64, 3, None).save_weights(tmp_path / "colour.weights.h5")
    model = networks.build("cnn", str(tmp_path / "colour.weights.h5"), 3, contract=SMALL)
    networks.freeze(model)
    assert len(model.trainable_variables) == 2
    networks.thaw(model)
    learning = {variable.path.rsplit("/", 1)[-1] for variable in networks.base_of(model).trainable_variables}
    fixed = {variable.path.rsplit("/", 1)[-1] for variable in networks.base_of(model).non_trainable_variables}
    assert learning == {"kernel", "gamma", "beta"}
    assert fixed == {"moving_mean", "moving_variance"}


def test_dense_baseline_has_features_and_no_maps() -> None:
    model = networks.build("dense", "none", 3)
    small = networks.input_contract("dense")

    assert small.height_px < networks.input_contract("cnn").height_px
    assert not networks.has_maps(model)
    outputs = [np.asarray(value) for value in networks.with_outputs(model)(grey_inputs(2))]
    assert [value.shape for value in outputs] == [(2, 3), (2, 64)]
    assert np.allclose(outputs[0].sum(axis=1), 1.0, atol=1e-6)


@pytest.mark.parametrize("name", [name for name in architectures.NAMES if name != "dense"])
def test_every_other_architecture_has_maps_over_its_last_features(name: str) -> None:
    model = networks.build(name, "none", 3, contract=SMALL)

    assert networks.has_maps(model)
    probabilities, maps, embedding = networks.with_outputs(model).outputs
    assert probabilities.shape == (None, 3)
    assert maps.shape == (None, *networks.base_of(model).output_shape[1:3], 3)
    assert embedding.shape == (None, networks.base_of(model).output_shape[3])


@pytest.mark.parametrize("name", ["dense", "cnn"])
def test_a_correction_of_the_logits_changes_the_maps_alike(name: str) -> None:
    model = networks.build(name, "none", 3, dropout=0.0)
    pictures = np.random.default_rng(3).uniform(-1.0, 1.0, (2, *model.input_shape[1:])).astype(np.float32)
    model.get_layer("maps" if networks.has_maps(model) else "logits").bias.assign([0.3, -0.2, 0.7])
    before = np.asarray(model(pictures))
    matrix, bias = np.array([[1.0, 0.0, 0.0], [0.0, 0.7, 0.3], [0.0, 0.2, 0.8]]), np.array([1.0, -0.5, -0.5])
    networks.correct(model, matrix, bias)
    after = np.asarray(model(pictures))

    assert np.allclose(after, before @ matrix.T + bias, atol=1e-5)
    if networks.has_maps(model):
        maps = np.asarray(networks.with_outputs(model)(pictures)[1])
        assert np.allclose(maps.mean(axis=(1, 2)), after, atol=1e-5)


@pytest.mark.parametrize("name", architectures.NAMES)
def test_every_architecture_takes_one_channel_between_minus_one_and_one(name: str) -> None:
    contract = networks.input_contract(name)

    assert (contract.channels, contract.low, contract.high) == (1, -1.0, 1.0)


def test_vgg16_answers_as_its_published_weights_do_on_colour_pictures_less_their_means(tmp_path: Path) -> None:
    keras.utils.set_random_seed(5)
    colour = architectures.named("vgg16").base(64, 64, 3, None)
    colour.layers[1].bias.assign(np.linspace(-20.0, 20.0, 64))
    colour.save_weights(tmp_path / "colour.weights.h5")
    grey = networks.base_of(networks.build("vgg16", str(tmp_path / "colour.weights.h5"), 3, contract=SMALL))

    levels = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 1)).astype(np.float32)
    caffe = keras.applications.vgg16.preprocess_input(np.repeat(levels, 3, axis=3))
    expected, answered = (
        np.asarray(model.layers[1](values)) for model, values in ((colour, caffe), (grey, levels / np.float32(127.5) - 1.0))
    )
    inner = (slice(None), slice(1, -1), slice(1, -1))  # where no padding is seen
    assert expected[inner].std() > 10.0
    assert np.allclose(answered[inner], expected[inner], rtol=0.0, atol=1e-3)


def test_vgg16_takes_its_own_grey_weights_as_they_are(tmp_path: Path) -> None:
    given = architectures.named("vgg16").base(64, 64, 1, None)
    given.save_weights(tmp_path / "grey.weights.h5")
    taken = networks.base_of(networks.build("vgg16", str(tmp_path / "grey.weights.h5"), 3, contract=SMALL))
    assert all(np.array_equal(one, other) for one, other in zip(given.get_weights(), taken.get_weights(), strict=True))
