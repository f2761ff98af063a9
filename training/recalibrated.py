"""Writes a package with another temperature and other operating points: the same network, a new manifest, self-test and card.

All files go into a folder beside the target, which then takes its place: the target holds a whole package or what it held before.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from core import phantom
from core.classifier import Classifier
from core.contract import ModelIdentity
from core.manifest import NETWORK_FILE, SELFTEST_FILE, Manifest, SelfTest, read
from core.network import Network
from core.package import SELFTEST_SIDE_PX
from training import card, data_page, shelf
from training.recalibration import Recalibration, applied


def write(parent: Path, result: Recalibration, version: str, calibrated_on: dict[str, Any], folder: Path) -> Manifest:
    """Write the package.

    Args:
        parent: the folder of the package that gives the network and all that is not calibration.
        result: temperature, operating points and figures.
        version: of the new package.
        calibrated_on: what chose them, for `origin.config`; its `source` goes into the card.
        folder: of the new package; what is there is replaced.

    Raises:
        errors.DiskFull, errors.CannotWrite: see `shelf.replacing`.
    """
    before, _ = read(parent)
    flatbuffer = (parent / NETWORK_FILE).read_bytes()
    manifest = _manifest(before, result, version, calibrated_on)
    with shelf.replacing(folder) as new:
        for name in before.files:
            old = name.startswith(f"{shelf.REPORT_FOLDER}/") and not data_page.belongs(name)
            if name not in (shelf.CARD_FILE, SELFTEST_FILE) and not old:
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(parent / name, new / name)
        selftest = msgspec.json.decode((parent / SELFTEST_FILE).read_bytes(), type=SelfTest)
        network = Network(flatbuffer, manifest, 1)
        (new / SELFTEST_FILE).write_bytes(shelf.readable(_expect(selftest, manifest, network)))
        (new / shelf.CARD_FILE).write_text(card.write(manifest), encoding="utf-8")
        return shelf.sign(new, manifest)


def _manifest(before: Manifest, result: Recalibration, version: str, calibrated_on: dict[str, Any]) -> Manifest:
    # The log-odds are divided by the temperature, and so is what scaled JPEG decoding moves them by.
    margin = round(before.input.draft_margin * before.temperature / result.choice.temperature + 0.0005, 3)
    record = {**calibrated_on, "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    config = {**before.origin.config, "calibration": record}
    return msgspec.structs.replace(
        applied(result, before),
        version=version,
        input=msgspec.structs.replace(before.input, draft_margin=margin),
        origin=msgspec.structs.replace(before.origin, config=config, parent_version=before.version),
    )


def _expect(selftest: SelfTest, manifest: Manifest, network: Network) -> SelfTest:
    """Return the self-test with what the network now says of its phantoms."""
    identity = ModelIdentity(name=manifest.name, version=manifest.version, sha256="0" * 64)
    classifier = Classifier(manifest, identity, network)
    cases = []
    for case in selftest.cases:
        probabilities, _ = classifier.probabilities(phantom.chest(case.seed, SELFTEST_SIDE_PX))
        cases.append(msgspec.structs.replace(case, probabilities=tuple(round(float(value), 6) for value in probabilities)))
    return msgspec.structs.replace(selftest, cases=tuple(cases))
