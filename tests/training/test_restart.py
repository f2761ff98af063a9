"""A training that goes on from a package: the same answers at first, the same patients held out, and what it says it began with."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from cli.main import main
from core import manifest
from training import card_commands, dataset, errors, networks, pictures, rebuild, restart, splits
from training.configuration import Configuration
from training.shifts import predictor

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def loaded(package: Path, phantoms: Path) -> pictures.Pictures:
    return pictures.load(dataset.index(phantoms, progress=False), manifest.read(package)[0].input, progress=False)


def start_of(package: Path, loaded: pictures.Pictures, statistics: str) -> keras.Model:
    described = manifest.read(package)[0]
    recipe = Configuration(arch="cnn", weights=str(package), statistics=statistics)  # type: ignore[arg-type]  # one of two words
    return restart.network(package, described, recipe, loaded)


@pytest.mark.parametrize("statistics", ["fixed", "learned"])
def test_the_start_answers_as_the_package_does(package: Path, loaded: pictures.Pictures, statistics: str) -> None:
    described = manifest.read(package)[0]
    values = pictures.inputs(loaded.grey, described.input)
    expected = predictor(rebuild.network(package, described, 0.2))(values)
    assert np.allclose(predictor(start_of(package, loaded, statistics))(values), expected, rtol=0.0, atol=1e-5)


def test_learned_statistics_are_those_of_the_pictures(package: Path, loaded: pictures.Pictures) -> None:
    base = networks.base_of(start_of(package, loaded, "learned"))
    convolution, norm = base.layers[:2]
    assert type(norm) is keras.layers.BatchNormalization
    given = np.asarray(convolution(pictures.inputs(loaded.grey, manifest.read(package)[0].input)))
    channels = given.reshape(-1, given.shape[-1])
    assert np.allclose(norm.moving_mean, channels.mean(axis=0), atol=1e-4)
    assert np.allclose(norm.moving_variance, channels.var(axis=0), rtol=1e-3, atol=1e-5)


def test_a_package_is_taught_further_and_says_what_it_began_with(package: Path, train_tiny: Callable[..., Path]) -> None:
    further = manifest.read(train_tiny("--weights", str(package), "--head-epochs", "0"))[0]
    began, _ = manifest.read(package)
    assert further.origin.initial_weights.startswith(f"{began.name} {began.version}, sha256 ")
    assert further.origin.initial_weights.endswith("which began with none")
    assert (began.version, further.version) == ("0.1.0", "0.2.0")  # two that differ are told apart
    assert card_commands.of_network(further) == "pneumonia train DATASET --config PACKAGE/manifest.json --weights START --out NEW"
    assert card_commands.others(further) == {"START": f"the package {began.name} 0.1.0"}
    assert further.origin.config["weights"] == package.name


@pytest.mark.parametrize(
    ("command", "options"),
    [("train", ["--seed", "7"]), ("crossval", ["--seed", "1"])],
    ids=["another split", "folds"],
)
def test_patients_that_the_package_knows_are_not_held_out(
    command: str, options: list[str], package: Path, phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = ["--out", str(tmp_path / "package")] if command == "train" else []
    asked = [command, str(phantoms), "--arch", "cnn", "--weights", str(package), "--tracking", "none", "--work", str(tmp_path / "work")]
    assert main([*asked, *target, *options]) == 2
    assert "seen_in_training: Expected " in capsys.readouterr().err
    assert not (tmp_path / "package").exists()


def test_a_package_of_another_architecture_is_no_start(package: Path) -> None:
    with pytest.raises(
        errors.InitialWeightsUnusable, match=r"the recipe's architecture, mobilenetv2, .*Received: pneumonia-cnn 0\.1\.0, cnn"
    ):
        restart.manifest_of(package, str(manifest.read(package)[0].origin.dataset_sha256), Configuration())


def test_a_package_is_taught_further_on_pictures_of_another_side(package: Path, train_tiny: Callable[..., Path], tmp_path: Path) -> None:
    recipe = tmp_path / "larger.toml"
    recipe.write_text("side_px = 96\nhead_epochs = 0\n", "utf-8")
    further = manifest.read(train_tiny("--config", str(recipe), "--weights", str(package)))[0]
    assert (further.input.height_px, further.input.width_px) == (96, 96)


def test_a_package_of_another_data_set_is_no_start(package: Path) -> None:
    with pytest.raises(errors.SeenInTraining, match=r"which holds out the same patients\. Received: "):
        restart.manifest_of(package, "0" * 64, Configuration(arch="cnn"))


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("train", "Expected start_share 0, or the folder of a model package"),
        ("crossval", "Expected a recipe without start_share, since no fold starts"),
        ("compare", "Expected a recipe without start_share, since no fold starts"),
    ],
)
def test_only_of_a_package_a_share_can_be_kept(
    command: str, sentence: str, phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipes = {"whole": "", "half": "start_share = 0.5\n"}
    for name, share in recipes.items():
        (tmp_path / f"{name}.toml").write_text(f'arch = "cnn"\nweights = "none"\n{share}')
    whole, half = (["--config", str(tmp_path / f"{name}.toml")] for name in recipes)
    asked = {
        "train": [str(phantoms), *half, "--work", str(tmp_path / "work"), "--out", str(tmp_path / "package")],
        "crossval": [str(phantoms), *half, "--work", str(tmp_path / "work")],
        "compare": [*whole, *half, "--data", str(phantoms), "--out", str(tmp_path / "work")],  # looks at both before it learns
    }
    assert main([command, *asked[command], "--tracking", "none"]) == 2
    told = capsys.readouterr().err
    assert f"invalid_configuration: {sentence}" in told
    assert told.endswith("Give --start-share 0 to go without.\n")
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("share", ["0.5", "0"])
def test_the_share_of_the_package_that_was_asked_for_is_kept(
    share: str, package: Path, train_tiny: Callable[..., Path], loaded: pictures.Pictures
) -> None:
    options = ["--weights", str(package), "--head-epochs", "0", "--start-share", share]
    further = train_tiny(*options)
    best, learned = (keras.models.load_model(further.parent / "work" / name) for name in ("best.keras", "epoch-001.keras"))

    teaching = loaded.take(splits.split(loaded.dataset, 1)["fit"])
    begun = start_of(package, teaching, "learned").trainable_weights
    averaged = [variable for variable in learned.optimizer.variables if "average" in variable.path]
    for old, new, kept in zip(begun, averaged, best.trainable_weights, strict=True):
        mean = float(share) * np.asarray(old) + (1.0 - float(share)) * np.asarray(new)
        assert np.allclose(kept, mean, rtol=0.0, atol=1e-5)
    assert manifest.read(further)[0].origin.config["start_share"] == float(share)
