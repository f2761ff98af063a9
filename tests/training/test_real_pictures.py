"""What only real pictures can show; they stay out of the repository."""

from pathlib import Path

import numpy as np
import pytest

from core import manifest
from core.network import Network
from core.package import load
from training import (
    calibrate,
    convert,
    dataset,
    duplicates,
    folders,
    metrics,
    networks,
    pictures,
    precision,
    shifts,
    shortcuts,
    splits,
    survey,
)
from training.names import KINDS

pytestmark = pytest.mark.train

ROOT = Path(__file__).parents[2]
TRAIN = ROOT / "../shared/data/chest_xray/train"
WEIGHTS = ROOT / "../shared/weights/mobilenet_v2_imagenet_notop.weights.h5"
PACKAGE = ROOT / "model/pneumonia-mobilenetv2"

needs_pictures = pytest.mark.skipif(not TRAIN.is_dir(), reason="needs the public train pictures at ../shared/data/chest_xray/train")
needs_weights = pytest.mark.skipif(not WEIGHTS.is_file(), reason="needs the ImageNet weights of MobileNetV2 at ../shared/weights")
needs_package = pytest.mark.skipif(not PACKAGE.is_dir(), reason="needs the default package at model/pneumonia-mobilenetv2: `make train`")


@pytest.fixture(scope="module")
def public() -> dataset.Dataset:
    return dataset.index(TRAIN, progress=False)


@needs_pictures
def test_the_public_train_set_is_read_as_its_readme_says(public: dataset.Dataset) -> None:
    counts = {kind: sum(sample.kind == kind for sample in public.samples) for kind in KINDS}
    assert counts == {"normal": 1341, "bacterial pneumonia": 2530, "viral pneumonia": 1345}
    assert max(np.unique([sample.patient for sample in public.samples], return_counts=True)[1]) == 30


@needs_pictures
def test_no_patient_and_no_identical_picture_of_the_public_set_is_in_two_parts(public: dataset.Dataset) -> None:
    parts = splits.split(public, 1)
    for field in ("patient", "sha256"):
        values = [{getattr(public.samples[position], field) for position in positions} for positions in parts.values()]
        assert sum(len(part) for part in values) == len(set.union(*values)), field


@needs_pictures
@needs_weights
@needs_package
def test_keras_and_litert_agree_on_real_pictures(public: dataset.Dataset) -> None:
    contract = networks.input_contract("mobilenetv2")
    loaded = pictures.load(public.without(sample.path for sample in public.samples[12:]), contract, progress=False)
    values = pictures.inputs(loaded.grey, contract)
    model = networks.build("mobilenetv2", str(WEIGHTS), 3)
    shapes, _ = manifest.read(PACKAGE)  # of the same architecture
    exported = networks.with_outputs(model)
    full = convert.to_litert(exported)
    twins = [
        ("float32", Network(full, shapes, 1), convert.PARITY_FLOAT32),
        ("float16", Network(precision.halve(full), shapes, 1), convert.PARITY_FLOAT16),
    ]
    differences = convert.check_parity(shifts.predictor(model)(values), twins, values)
    assert differences["float32"] < differences["float16"]


@needs_pictures
@needs_package
def test_the_default_package_tells_held_out_patients_apart(public: dataset.Dataset) -> None:
    classifier = load(PACKAGE)
    written = classifier.manifest
    if public.sha256 != written.origin.dataset_sha256:
        pytest.skip("the default package was trained on another data set than ../shared/data/chest_xray/train")
    held_out = splits.split(public, written.origin.config["seed"])["test"][::4]
    kept = {public.samples[position].path for position in held_out}
    loaded = pictures.load(public.without({sample.path for sample in public.samples} - kept), written.input, progress=False)
    pneumonia = 1.0 - np.array([classifier.probabilities(grey)[0][written.negative_index] for grey in loaded.grey])
    truth = loaded.labels > 0
    assert len(truth) >= 150
    assert metrics.auroc(truth, pneumonia) >= 0.985
    balanced = written.operating_point(calibrate.BALANCED)
    assert balanced is not None
    assert metrics.sensitivity(truth, pneumonia >= balanced.threshold) >= 0.93


@needs_pictures
def test_originals_are_found_in_the_train_folder_and_no_two_children_are_taken_for_one() -> None:
    originals = ROOT / "../shared/data/originals"
    if not originals.is_dir():
        pytest.skip("needs pictures as they were published at ../shared/data/originals")
    measured = survey.measure(folders.find([TRAIN, originals]), 2, progress=False)
    found = duplicates.find(measured)
    assert len(found.identical) == 24
    assert {one.parts for one in found.near} == {("originals", "train")}
    assert sum(file.startswith("originals/") for one in found.near for file in one.files) == 48
    assert all(len(one.patients) == 1 for one in found.near)


@needs_pictures
def test_the_size_of_a_file_gives_the_class_away_in_the_public_train_set() -> None:
    found = shortcuts.find(survey.measure(folders.find([TRAIN]), 2, progress=False))
    assert found.alone[0].feature == "bytes"
    assert found.alone[0].auroc.value == pytest.approx(0.90, abs=0.005)
