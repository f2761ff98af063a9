"""Recipes from files and options: nothing misspelt trains with a default."""

import re
import shlex
from pathlib import Path

import pytest

from cli.main import main
from training import architectures, errors
from training.augment import Augmentation
from training.configuration import Configuration, read

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "training" / "configs").glob("*.toml"))


def write(folder: Path, text: str) -> Path:
    file = folder / "recipe.toml"
    file.write_text(text)
    return file


def test_options_override_the_file_and_the_rest_keeps_its_default(tmp_path: Path) -> None:
    file = write(tmp_path, 'arch = "cnn"\nepochs = 3\nseed = 7\n[augmentation]\nflip_share = 0.0\n')

    read_ = read(file, {"epochs": 5})

    assert (read_.arch, read_.epochs, read_.seed, read_.augmentation.flip_share) == ("cnn", 5, 7, 0.0)
    assert read_.batch_size == Configuration().batch_size
    assert read_.augmentation.blur_px == Configuration().augmentation.blur_px


def test_without_a_file_the_options_alone_count() -> None:
    assert read(None, {"arch": "dense"}) == Configuration(arch="dense")


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("", {}, 1),
        ('weights = "none"', {}, 0),
        ('weights = "imagenet"', {"weights": "none"}, 0),
        ('weights = "none"', {"weights": "imagenet"}, 1),
        ('weights = "none"', {"head_epochs": 2}, 2),
        ('weights = "none"\nhead_epochs = 3', {}, 3),
    ],
)
def test_a_base_without_weights_is_not_frozen_unless_asked(tmp_path: Path, text: str, options: dict[str, int | str], expected: int) -> None:
    assert read(write(tmp_path, text), options).head_epochs == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("epoch = 3", r"Expected keys among arch, .*Received: epoch in .*recipe\.toml; did you mean epochs\?"),
        ("nonsense = 3", r"Received: nonsense in .*recipe\.toml\."),
        ("[augmentation]\nflip = 0.5", r"Expected keys among area_low, .*Received: flip in "),
        ('epochs = "three"', r"Expected `int`, got `str` - at `\$\.epochs` in .*recipe\.toml\."),
        ("dropout = 1.5", r"Expected `float` < 1\.0 - at `\$\.dropout` in "),
        ("augmentation = 3", r"Expected `object`, got `int` - at `\$\.augmentation` in "),
        ("epochs = ", r"Expected TOML\. Received: .*recipe\.toml: "),
        ("\x00", r"Expected TOML\. Received: "),
    ],
)
def test_wrong_file_is_refused_with_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=sentence):
        read(write(tmp_path, text), {})


def test_missing_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidConfiguration, match=r"Expected a readable TOML file\. Received: .*No such file"):
        read(tmp_path / "recipe.toml", {})


def test_wrong_option_is_not_blamed_on_the_file(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidOption, match=r"at `\$\.epochs`\.$"):
        read(write(tmp_path, "epochs = 3"), {"epochs": 0})


def test_every_architecture_has_a_recipe_of_its_name() -> None:
    recipes = {file.stem: read(file, {}).arch for file in CONFIGS}
    assert {name: recipes.get(name) for name in architectures.NAMES} == {name: name for name in architectures.NAMES}


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_recipe_opens_with_its_command_what_to_expect_and_how_long(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opening = "".join(line for line in file.read_text("utf-8").splitlines(keepends=True) if line.startswith("#"))

    assert file.read_text("utf-8").startswith(opening)
    commands = re.findall(r"^# (?:Command:|        ) +pneumonia (.*)$", opening, re.MULTILINE)
    assert commands
    for_folds = file.stem.endswith("-folds")
    assert re.search(rf"^# Command: +pneumonia {'crossval' if for_folds else 'train'} ", opening, re.MULTILINE)
    assert re.search(r"^# Expected: \S", opening, re.MULTILINE)
    assert re.search(r"^# Time: +\S", opening, re.MULTILINE)
    after_another = read(file, {}).weights.startswith("runs/")  # the package that another recipe leaves: it is looked for first
    for command in commands:  # what each lacks is the data set alone
        assert f"training/configs/{file.name}" in command
        assert main(shlex.split(command)) == 2
        assert f"error: {'initial_weights_unusable' if after_another else 'dataset_missing'}: " in capsys.readouterr().err


def test_every_key_of_a_recipe_is_explained() -> None:
    rows = [line.split("|")[1] for line in (ROOT / "docs/training.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    explained = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert explained == {*Configuration.__struct_fields__, *Augmentation.__struct_fields__} - {"augmentation"}
