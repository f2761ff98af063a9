"""The manifest: what it must hold, and that a wrong one is refused with the name of the field."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core import manifest
from core.manifest import Manifest
from tests.support import packages

Json = dict[str, Any]


@pytest.fixture(scope="module")
def content() -> bytes:
    return (packages.baked() / manifest.MANIFEST_FILE).read_bytes()


def parse(content: bytes, change: Callable[[Json], object] = lambda _: None) -> Manifest:
    values: Json = msgspec.json.decode(content)
    change(values)
    return msgspec.json.decode(msgspec.json.encode(values), type=Manifest)


def point(**changes: object) -> Callable[[Json], object]:
    return lambda values: values["operating_points"][0].update(changes)


def block(name: str, **changes: object) -> Callable[[Json], object]:
    return lambda values: values[name].update(changes)


WRONG: dict[str, tuple[Callable[[Json], object], str]] = {
    "another format": (lambda v: v.update(format_version=2), "format_version"),
    "no temperature": (lambda v: v.pop("temperature"), "temperature"),
    "temperature 0": (lambda v: v.update(temperature=0), "temperature"),
    "an unknown field": (lambda v: v.update(colour="red"), "colour"),
    "an unknown field of the input": (block("input", stride=2), "stride"),
    "a name with a slash": (lambda v: v.update(name="../x"), "name"),
    "a version with a space": (lambda v: v.update(version="1 0"), "version"),
    "no name": (lambda v: v.update(name=""), "name"),
    "a digest in capitals": (block("files", x="A" * 64), "files"),
    "a short digest": (block("files", x="ab"), "files"),
    "height 0": (block("input", height_px=0), "height_px"),
    "two channels": (block("input", channels=2), "channels"),
    "unknown resampling": (block("input", resample="nearest"), "resample"),
    "a negative margin": (block("input", draft_margin=-0.1), "draft_margin"),
    "one label": (lambda v: v.update(labels=v["labels"][:1]), "labels"),
    "a label twice": (lambda v: v["labels"].append(v["labels"][0]), "distinct"),
    "a label without a code": (lambda v: v["labels"][0].pop("code"), "code"),
    "a code that is no number": (lambda v: v["labels"][0].update(code="J18.9"), "code"),
    "a negative label that is none": (lambda v: v.update(negative="healthy"), "healthy"),
    "no operating point": (lambda v: v.update(operating_points=[]), "operating_points"),
    "an operating point twice": (lambda v: v["operating_points"].append(v["operating_points"][0]), "distinct"),
    "a default that is none": (lambda v: v.update(default_operating_point="lucky"), "lucky"),
    "a threshold above 1": (point(threshold=1.5, indeterminate_to=1.5), "threshold"),
    "a threshold below its zone": (point(indeterminate_from=0.5, threshold=0.4, indeterminate_to=0.6), "indeterminate_from"),
    "a threshold above its zone": (point(indeterminate_from=0.2, threshold=0.4, indeterminate_to=0.3), "indeterminate_from"),
    "a sensitivity without interval": (point(sensitivity=0.9), "sensitivity"),
    "a sensitivity above 1": (point(sensitivity={"value": 1.1, "low": 0.9, "high": 1.0}), "sensitivity"),
    "an embedding as long as the labels": (lambda v: v.update(embedding_size=len(v["labels"])), "embedding_size"),
    "an origin without a commit": (lambda v: v["origin"].pop("commit"), "commit"),
}


@pytest.mark.parametrize(("change", "named"), WRONG.values(), ids=WRONG.keys())
def test_wrong_manifest_is_refused_and_the_field_named(content: bytes, change: Callable[[Json], object], named: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=named):
        parse(content, change)


def test_manifest_survives_being_written_and_read(content: bytes) -> None:
    parsed = parse(content)

    assert msgspec.json.decode(msgspec.json.encode(parsed), type=Manifest) == parsed


def test_reading_gives_the_bytes_that_the_digest_is_made_of(content: bytes) -> None:
    parsed, data = manifest.read(packages.baked())

    assert data == content
    assert parsed == parse(content)


def test_folder_without_manifest_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        manifest.read(tmp_path)


def test_operating_points_are_found_by_name(content: bytes) -> None:
    parsed = parse(content)

    assert [parsed.operating_point(point.name) for point in parsed.operating_points] == list(parsed.operating_points)
    assert parsed.operating_point(None) == parsed.operating_point(parsed.default_operating_point)
    assert parsed.operating_point("lucky") is None
    assert parsed.operating_point("") is None


@pytest.mark.parametrize("index", [0, 1, 2])
def test_negative_label_may_stand_anywhere(content: bytes, index: int) -> None:
    parsed = parse(content, lambda values: values.update(negative=values["labels"][index]["name"]))

    assert parsed.negative_index == index
