"""The whole loop on a local folder: uploads in, a compared package out, promoted only through the gate; interrupted, it goes on."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from cli.main import main
from core import errors as core_errors
from core import jobs, models, package, promotions, worker
from core.classifier import Classifier
from core.contract import ModelIdentity
from core.images import decode
from core.living import RetrainOutcome
from core.manifest import MANIFEST_FILE, read
from core.network import Network
from core.settings import Settings
from core.store import Store
from tests.support import nurseries, packages
from tests.training import retraining
from training import calibrate, challenger, convert, gate, guard, intake, networks, rebuild, retrain, tracking
from training.names import BACTERIAL, NORMAL, VIRAL
from training.pictures import inputs, shrink
from training.shifts import predictor

pytestmark = pytest.mark.train

SOME = {NORMAL: 16, BACTERIAL: 8, VIRAL: 8}


@pytest.fixture
def store(tmp_path: Path, champion: Path) -> Store:
    return retraining.stocked(tmp_path / "store", champion, SOME)


def carry_out(store: Store, settings: Settings, work: Path) -> RetrainOutcome:
    job = jobs.create(store, "r", settings.job_stale_s)
    held = worker.claim(store, job.id, "w", settings.job_stale_s)
    return retrain.run(store, held, settings, work, tracking.Journal(tracking.NOWHERE))


def load(store: Store, version: str, folder: Path) -> Classifier:
    models.fetch(store, version, folder)
    return package.load(folder)


def test_uploads_become_a_promoted_package_with_report_and_card(tmp_path: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in nurseries.lenient({"RETRAIN_EPOCHS": "2"}).items():
            patch.setenv(name, value)
        tracked = str(tmp_path / "mlflow")
        assert main(["retrain", "--store", (tmp_path / "store").as_uri(), "--tracking", tracked, "--work", str(tmp_path / "work")]) == 0

    assert "version 0.2.0 is active now, in the place of 0.1.0" in capsys.readouterr().out
    job = jobs.find(store, "1").shown(600, 0.0)
    assert (job.state, job.progress) == ("done", 1.0)
    assert job.outcome is not None
    assert (job.outcome.result, job.outcome.version, job.outcome.champion, job.outcome.run_uri) == ("promoted", "0.2.0", "0.1.0", tracked)
    assert set(job.outcome.figures) == {"champion", "challenger"}
    active = promotions.latest(store)
    assert active is not None
    assert (active.version, active.number, active.source) == ("0.2.0", 2, "job 00000001")

    served = load(store, "0.2.0", tmp_path / "served")
    assert served.identity.sha256 == active.sha256
    manifest, _ = read(tmp_path / "served")
    assert {"CARD.md", "network.keras", "network.tflite", "selftest.json"} < set(manifest.files)
    assert any(name.startswith("report/") for name in manifest.files)
    assert (manifest.origin.parent_version, manifest.origin.config["retraining"]["job"]) == ("0.1.0", "00000001")
    assert manifest.metrics["retraining"]["champion"]["version"] == "0.1.0"
    assert manifest.metrics["pictures_without_patient"] == manifest.metrics["pictures"] > 0  # all are uploads
    assert "pneumonia retrain --job 00000001" in (tmp_path / "served" / "CARD.md").read_text()
    assert manifest.of_children is True  # as the champion, whose uploads tell nothing
    assert manifest.guard is None  # too few pictures to place its thresholds, and the card must not promise one
    assert (guard.UNGUARDED in manifest.limits, guard.GUARDED_FOR_CHILDREN in manifest.limits) == (True, False)
    assert not (tmp_path / "work").exists()  # pictures lay there
    client = tracking.Journal(tracked).attempt(lambda client, _: client.get_run(str(job.outcome and job.outcome.run_id)))
    assert client is not None
    assert (client.info.status, client.data.tags["package"]) == ("FINISHED", "tiny 0.2.0")


def test_worse_challenger_is_kept_and_says_why(tmp_path: Path, champion: Path) -> None:
    """The champion calls everything positive: nothing is more sensitive, and held-out pneumonia that looks normal shows it."""
    easy = tmp_path / "easy"
    shutil.copytree(champion, easy)
    packages.edit(easy, MANIFEST_FILE, all_positive)
    asked = {"requirements": {"balanced_sensitivity": 0.9}}  # of `pneumonia calibrate`
    packages.edit(easy, MANIFEST_FILE, lambda content: content["origin"]["config"].update(calibration=asked))
    store = retraining.stocked(tmp_path / "store", easy, SOME)
    for seed in range(40):
        data = retraining.picture(NORMAL, 5000 + seed)
        if intake.part(hashlib.sha256(data).hexdigest()) == "test":
            retraining.upload(store, VIRAL, data)
    settings = Settings(store=(tmp_path / "store").as_uri(), gate_auroc_margin=1.0, gate_min_pictures=1, retrain_epochs=1)
    outcome = carry_out(store, settings, tmp_path / "work")

    assert outcome.result == "kept"
    assert len(outcome.reasons) == 1
    assert outcome.reasons[0].startswith("Expected sensitivity of at least 1.0000 - 0.02")
    assert outcome.version == "0.2.0"
    assert "0.2.0" in models.versions(store)  # kept beside, for people to look at
    active = promotions.latest(store)
    assert active is not None
    assert active.version == "0.1.0"
    assert jobs.find(store, "1").shown(600, 0.0).outcome == outcome

    manifest, _ = models.manifest(store, "0.2.0")
    assert manifest.origin.config["retraining"]["requirements"] == {**calibrate.REQUIREMENTS._asdict(), "balanced_sensitivity": 0.9}
    assert "`balanced` is the highest that keeps sensitivity 0.9," in manifest.metrics["thresholds_chosen"]
    assert challenger.requirements(manifest).balanced_sensitivity == 0.9  # and so on, generation after generation


def all_positive(manifest: dict[str, Any]) -> None:
    for point in manifest["operating_points"]:
        point.update(threshold=0.0, indeterminate_from=0.0, indeterminate_to=0.0)


def test_gate_names_every_figure_that_fell_beyond_its_margin() -> None:
    def compared(auroc: float, sensitivity: float, specificity: float, **settings: float) -> list[str]:
        champion = gate.Standing(version="1.0.0", auroc=0.9, sensitivity=0.95, specificity=0.9)
        challenger = gate.Standing(version="1.1.0", auroc=auroc, sensitivity=sensitivity, specificity=specificity)
        return gate.objections(gate.Comparison(champion=champion, challenger=challenger, pictures=40), Settings(**settings))  # type: ignore[arg-type]

    assert compared(0.9, 0.95, 0.9) == compared(0.89, 0.93, 0.85) == compared(1.0, 1.0, 1.0) == []
    assert [reason.split()[1] for reason in compared(0.8, 0.9, 0.8)] == ["AUROC", "sensitivity", "specificity"]
    assert "0.9000 - 0.01 on 40 held-out pictures, 1.0.0 having 0.9000. Received: 0.8899" in compared(0.8899, 0.95, 0.9)[0]
    assert [reason.split()[1] for reason in compared(0.9, 1.0, 0.0)] == ["specificity"]  # it calls every picture pneumonia
    assert compared(0.9, 1.0, 0.0, gate_specificity_margin=1.0) == []


@pytest.mark.parametrize(
    ("before", "after", "wanted", "kept"),
    [(True, False, True, True), (True, False, False, False), (True, True, True, False), (False, False, True, False)],
    ids=["lost", "lost, and allowed", "has one", "had none"],
)
def test_model_without_a_guard_takes_no_place_of_one_that_has_one(before: bool, after: bool, wanted: bool, kept: bool) -> None:
    champion = gate.Standing(version="1.0.0", auroc=0.9, sensitivity=0.95, specificity=0.9, guarded=before)
    challenger = msgspec.structs.replace(champion, version="1.1.0", guarded=after)
    reasons = gate.objections(gate.Comparison(champion=champion, challenger=challenger, pictures=40), Settings(gate_guard=wanted))

    assert [reason.startswith("Expected a guard, since 1.0.0 has one.") for reason in reasons] == [True] * kept


def test_too_few_held_out_pictures_are_told_before_any_learning(tmp_path: Path, champion: Path) -> None:
    store = retraining.stocked(tmp_path / "store", champion, {VIRAL: 12})
    outcome = carry_out(store, Settings(store=(tmp_path / "store").as_uri()), tmp_path / "work")

    assert (outcome.result, outcome.version) == ("kept", None)
    assert "Expected at least 5 normal pictures to compare on. Received: 0." in outcome.reasons
    assert models.versions(store) == ["0.1.0"]


def test_nothing_uploaded_fails_with_the_reason_and_another_job_may_follow(tmp_path: Path, champion: Path) -> None:
    store = retraining.stocked(tmp_path / "store", champion, {})
    outcome = carry_out(store, retraining.lenient(tmp_path / "store"), tmp_path / "work")

    assert outcome.result == "failed"
    assert outcome.reasons[0].startswith("no_pictures: Expected uploads")
    assert jobs.find(store, "1").shown(600, 0.0).state == "failed"
    jobs.create(store, "r", 600)


def test_new_kind_extends_the_head(tmp_path: Path, store: Store) -> None:
    retraining.upload_some(store, {"fungal pneumonia": 6}, first_seed=9000)
    settings = retraining.lenient(
        tmp_path / "store", extra_labels={"fungal pneumonia": "233613009", "of which there is none": None}, retrain_epochs=1
    )
    outcome = carry_out(store, settings, tmp_path / "work")

    assert outcome.result == "promoted", outcome
    served = load(store, "0.2.0", tmp_path / "served")
    assert [label.name for label in served.manifest.labels] == [NORMAL, BACTERIAL, VIRAL, "fungal pneumonia"]
    assert served.manifest.labels[-1].code == "233613009"
    answer = served.classify(retraining.picture(VIRAL, 3), served.operating_point(None), "r", 10**7)
    assert {finding.label for finding in answer.findings} == {NORMAL, BACTERIAL, VIRAL, "fungal pneumonia"}


def test_rollback_in_the_meantime_stands(tmp_path: Path, store: Store, champion: Path) -> None:
    settings = retraining.lenient(tmp_path / "store", retrain_epochs=1)
    carry_out(store, settings, tmp_path / "work")
    first = promotions.latest(store)
    assert first is not None
    manifest, _ = models.manifest(store, "0.2.0")
    job = jobs.create(store, "r", 600)
    held = worker.claim(store, job.id, "w", 600)
    from training import verdict

    for version in ("0.1.0", "0.3.0"):
        promotions.promote(store, ModelIdentity(name="x", version=version, sha256="0" * 64), promotions.BY_HAND, "")
    outcome = verdict.promote(store, held, settings, manifest)

    assert outcome.result == "kept"
    assert "0.3.0, promoted in the meantime" in outcome.reasons[0]
    # The job that had promoted it says so when it is run again, and promotes nothing a second time.
    again = worker.Worker(store, "00000001", "w", 99, 600, lambda: 0.0)
    config = {**manifest.origin.config, "retraining": {**manifest.origin.config["retraining"], "mlflow_run": "a-run"}}
    tracked = msgspec.structs.replace(manifest, origin=msgspec.structs.replace(manifest.origin, config=config))
    outcome = verdict.promote(store, again, settings, tracked, "http://mlflow")
    assert (outcome.result, outcome.run_id, outcome.run_uri) == ("promoted", "a-run", "http://mlflow")
    unrecorded = verdict.promote(store, again, settings, manifest, "http://mlflow")
    assert (unrecorded.run_id, unrecorded.run_uri) == (None, None)
    latest = promotions.latest(store)
    assert latest is not None
    assert latest.version == "0.3.0"


def test_worker_that_was_taken_over_promotes_nothing(tmp_path: Path, store: Store) -> None:
    settings = retraining.lenient(tmp_path / "store", retrain_epochs=1)
    job = jobs.create(store, "r", 600)
    held = worker.claim(store, job.id, "first", 600)
    worker.claim(store, job.id, "second", 600, take_over=True)

    with pytest.raises(worker.JobTakenOver):
        retrain.run(store, held, settings, tmp_path / "work", tracking.Journal(tracking.NOWHERE))
    active = promotions.latest(store)
    assert active is not None
    assert active.version == "0.1.0"


@pytest.mark.parametrize("keep_keras", [False, True], ids=["from the flatbuffer", "from network.keras"])
def test_rebuilt_network_answers_as_the_package_does(tmp_path: Path, champion: Path, keep_keras: bool) -> None:
    folder = retraining.champion(tmp_path, epochs=1, keep_keras=True) if keep_keras else champion
    manifest, _ = read(folder)
    model = rebuild.network(folder, manifest, 0.3)
    grey = np.stack([shrink(decode(retraining.picture(VIRAL, seed)).grey, manifest.input) for seed in range(12)])
    values = inputs(grey, manifest.input)
    served = convert.run_all(Network((folder / "network.tflite").read_bytes(), manifest, 1), values)

    assert np.abs(predictor(model)(values) - served).max() <= convert.PARITY_FLOAT16
    wider = predictor(rebuild.extended(model, 5, 0.3))(values)
    assert wider[:, 3:].max() < 0.05
    assert np.allclose(wider[:, :3] / wider[:, :3].sum(axis=1, keepdims=True), served, atol=5e-3)
    assert not [layer for layer in networks.base_of(model).layers if type(layer).__name__ == "BatchNormalization"]


def test_network_of_another_architecture_is_refused(champion: Path) -> None:
    manifest, _ = read(champion)
    for arch in ("vgg16", "dense", "resnet", None):
        config = {**manifest.origin.config, "arch": arch}
        with pytest.raises(core_errors.PneumoniaError) as raised:
            rebuild.network(
                champion, msgspec.structs.replace(manifest, origin=msgspec.structs.replace(manifest.origin, config=config)), 0.3
            )
        assert raised.value.code == "run_unusable"
