"""From pictures to a package, as a user does it: `pneumonia train`."""

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import msgspec
import numpy as np
import pytest
from PIL import Image

from cli.main import main
from core import drift, manifest, phantom
from core import package as packages
from core.network import Network
from training import assembly, convert, dataset, draft, errors, experiment, export, networks, origin, pictures, shelf
from training.configuration import Configuration

pytestmark = pytest.mark.train

ROOT = Path(__file__).resolve().parents[2]


def test_the_package_loads_and_answers(package: Path) -> None:
    classifier = packages.load(package)
    point = classifier.operating_point(None)
    prediction = classifier.classify(phantom.jpeg(5), point, "request", 40_000_000)
    assert point.name == "balanced"
    assert sum(finding.probability for finding in prediction.findings) == pytest.approx(1.0, abs=1e-6)


def test_the_package_holds_what_it_says_and_nothing_else(package: Path) -> None:
    written, _ = manifest.read(package)
    of_data = {f"report/data{end}" for end in (".md", "-classes.svg", "-brightness.svg", "-sharpness.svg", "-dumb-feature-baseline.svg")}
    named = {"network.tflite", "network.keras", "selftest.json", "CARD.md", "history.csv", "report/training.svg"}
    assert set(written.files) == named | of_data
    assert {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()} == {*written.files, "manifest.json"}
    for name, digest in written.files.items():
        assert hashlib.sha256((package / name).read_bytes()).hexdigest() == digest


def test_the_manifest_says_how_the_model_came_about(package: Path, phantoms: Path) -> None:
    written, data = manifest.read(package)
    assert [label.name for label in written.labels] == ["normal", "bacterial pneumonia", "viral pneumonia"]
    assert [label.code for label in written.labels] == ["17621005", "53084003", "75570004"]
    assert [point.name for point in written.operating_points] == ["screening", "balanced", "rule_in"]
    assert written.origin.dataset == "phantoms"
    counts = {"fit": 18, "tune": 3, "test": 3}
    assert written.origin.split == {"unreadable": 0} | {
        f"{part}_{what}": counts[part] for part in counts for what in ("pictures", "patients")
    }
    assert written.origin.config["arch"] == "cnn"
    assert written.origin.config["augmentation"]["area_low"] == 0.5
    assert written.origin.initial_weights == "none"
    assert set(written.metrics["auroc"]) == {"value", "low", "high"}
    reference = drift.reference(written.metrics)
    assert reference is not None
    assert reference.pictures == 3
    assert written.metrics["parity"]["float16"] <= convert.PARITY_FLOAT16
    # Nothing of the machine it was trained on.
    assert str(phantoms.parent).encode() not in data


def test_the_card_states_the_figures_of_the_manifest(package: Path) -> None:
    written, _ = manifest.read(package)
    card = (package / "CARD.md").read_text()
    assert f"# {written.name} {written.version}" in card
    assert f"{written.metrics['auroc']['value']:.4f}" in card
    assert all(f"| `{point.name}`" in card and f"| {point.threshold} |" in card for point in written.operating_points)
    assert all(limit in card for limit in written.limits)
    assert f"`{written.origin.dataset_sha256}`" in card


def test_the_served_network_answers_as_keras_does(package: Path) -> None:
    written, _ = manifest.read(package)
    model = keras.models.load_model(package / "network.keras", compile=False)
    network = Network((package / "network.tflite").read_bytes(), written, 1)
    grey = np.stack([phantom.chest(seed, 224) for seed in range(8)])
    values = (grey[..., np.newaxis] / np.float32(127.5) - 1.0).astype(np.float32)
    expected = [np.asarray(value) for value in networks.with_outputs(model)(values)]
    for row, value in enumerate(values):
        served = network.run(value)
        assert served.maps is not None
        assert served.embedding is not None
        assert np.abs(served.probabilities - expected[0][row]).max() <= convert.PARITY_FLOAT16
        assert np.allclose(served.maps, expected[1][row], atol=0.02)
        assert np.allclose(served.embedding, expected[2][row], atol=0.02)
        logits = served.maps.mean(axis=(0, 1))
        odds = np.exp(logits - logits.max())
        assert np.allclose(odds / odds.sum(), served.probabilities, atol=1e-6)


def test_a_network_that_answers_otherwise_is_not_exported(package: Path) -> None:
    written, _ = manifest.read(package)
    network = Network((package / "network.tflite").read_bytes(), written, 1)
    values = np.zeros((1, 224, 224, 1), np.float32)
    expected = convert.run_all(network, values)
    assert convert.check_parity(expected, [("same", network, 1e-9)], values) == {"same": 0.0}
    for wrong in (expected + 0.01, expected * np.nan):
        with pytest.raises(errors.ParityBroken, match="Expected the same network to differ"):
            convert.check_parity(wrong, [("same", network, 2e-3)], values)


def test_a_run_of_something_else_is_not_continued(
    phantoms: Path, package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    work = package.parent / "work"
    command = ["train", str(phantoms), "--arch", "cnn", "--weights", "none", "--epochs", "2", "--tracking", "none"]
    assert main([*command, "--out", str(tmp_path / "out"), "--work", str(work)]) == 2
    assert "error: run_mismatch: Expected" in capsys.readouterr().err


def test_a_run_lies_in_a_folder_of_its_recipe(phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text('arch = "dense"\nweights = "none"\nhead_epochs = 0\nepochs = 1\n')
    assert main(["train", str(phantoms), "--config", "mine.toml", "--out", "runs/mine/package", "--tracking", "none"]) == 0
    assert Path("runs/mine/state.json").is_file()
    assert Path("runs/mine/package/manifest.json").is_file()
    assert sorted(Path("runs").iterdir()) == [Path("runs/mine")]


def test_a_run_of_before_a_setting_existed_goes_on_where_it_is_at_its_default(tmp_path: Path) -> None:
    recipe = Configuration(arch="cnn", weights="none")
    experiment.claim(tmp_path, recipe, "d" * 64)
    written = (tmp_path / "run.json").read_bytes()
    record = json.loads(written)
    del record["recipe"]["keep"], record["recipe"]["augmentation"]["marker_size"]
    (tmp_path / "run.json").write_text(json.dumps(record))

    with pytest.raises(errors.RunMismatch):
        experiment.claim(tmp_path, msgspec.structs.replace(recipe, keep="last"), "d" * 64)
    experiment.claim(tmp_path, recipe, "d" * 64)
    assert (tmp_path / "run.json").read_bytes() == written


def test_a_run_keeps_the_commits_that_made_it_and_says_when_the_code_changed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    recipe = Configuration(arch="cnn", weights="none")
    experiment.claim(tmp_path, recipe, "d" * 64)
    assert experiment.made_with(tmp_path) == origin.commit()
    experiment.claim(tmp_path, recipe, "d" * 64)
    assert "the code changed" not in caplog.text
    (tmp_path / "commit.txt").write_text("c0ffee\n")
    experiment.claim(tmp_path, recipe, "d" * 64)
    assert experiment.made_with(tmp_path) == f"c0ffee then {origin.commit()}"
    assert f"the code changed since this run started: from commit c0ffee to {origin.commit()}" in caplog.text


def test_a_work_folder_of_nobody_tells_no_commit(tmp_path: Path) -> None:
    assert experiment.made_with(tmp_path) is None


@pytest.mark.parametrize(("given", "greets"), [(None, False), ("0", True)], ids=["as usual", "asked for"])
def test_the_first_line_is_ours_unless_the_person_asks_tensorflow_to_talk(given: str | None, greets: bool, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": given} if given else {}
    command = [sys.executable, "-m", "cli.main", "train", "nowhere", "--tracking", "none", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    assert done.returncode == 2
    assert lines[-1].startswith("error: dataset_missing: ")
    assert (len(lines) > 1) == greets, done.stderr


def test_the_same_seed_gives_the_same_network(train_tiny: Callable[..., Path], package: Path) -> None:
    (first, _), (second, _) = (manifest.read(folder) for folder in (package, train_tiny()))
    assert "network.keras" not in second.files
    assert first.temperature == pytest.approx(second.temperature, rel=0.02)
    assert first.metrics["auroc"] == second.metrics["auroc"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["nowhere"], "dataset_missing"),
        (["{data}", "--arch", "resnet1000"], "unknown_architecture"),
        (["{data}", "--weights", "nowhere.weights.h5"], "initial_weights_unusable"),
        (["nowhere", "--weights", "nowhere.weights.h5"], "initial_weights_unusable"),  # seen before the data set is read
        (["{data}", "--epochs", "0"], "invalid_option"),
        (["{data}", "--dropout", "1.5"], "invalid_option"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_trained_is_one_line_and_exit_code_2(
    options: list[str], code: str, phantoms: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [option.format(data=phantoms) for option in options]
    assert main(["train", *command, "--tracking", "none", "--out", str(tmp_path / "out"), "--work", str(tmp_path / "work")]) == 2
    assert f"error: {code}: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_not_overwritten(package: Path, tmp_path: Path) -> None:
    shelf.check_target(tmp_path / "new", replace=False)
    shelf.check_target(tmp_path, replace=False)
    shelf.check_target(package, replace=True)
    with pytest.raises(errors.PackageExists, match="--replace"):
        shelf.check_target(package, replace=False)
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(errors.PackageExists, match="something else"):
        shelf.check_target(tmp_path, replace=True)


class _Unwritable:
    """Fails to be saved, as on a full disk."""

    def save(self, *arguments: object) -> None:
        raise OSError(28, "No space left on device")


def test_a_failed_export_leaves_the_old_package(package: Path, tmp_path: Path) -> None:
    written, _ = manifest.read(package)
    selftest = msgspec.json.decode((package / "selftest.json").read_bytes(), type=manifest.SelfTest)
    parts = assembly.Parts(written, (package / "network.tflite").read_bytes(), selftest)
    export.write(parts, tmp_path / "model")
    before = (tmp_path / "model/manifest.json").read_bytes()
    with pytest.raises(errors.DiskFull, match="No space"):
        export.write(parts, tmp_path / "model", _Unwritable())
    assert (tmp_path / "model/manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    packages.load(tmp_path / "model")


def test_the_draft_margin_covers_twice_what_was_seen(package: Path) -> None:
    classifier = packages.load(package)
    grey = np.stack([phantom.chest(seed, 224) for seed in range(3)])
    assert draft.margin(classifier, grey, progress=False) >= 0.0
    with io.BytesIO(draft.enlarge(grey[0])) as stream:
        assert Image.open(stream).size == (896, 896)


def test_a_judge_sees_the_plain_and_the_shifted_pictures(phantoms: Path) -> None:
    contract = networks.input_contract("cnn")
    loaded = pictures.load(dataset.index(phantoms, progress=False), contract, progress=False)
    verdict = experiment.judge_on(loaded, contract)(networks.build("cnn", "none", 3))
    assert set(verdict) == {"loss", "auroc", "auroc_shifted"}
    assert verdict["loss"] == pytest.approx(np.log(3), abs=0.2)
