"""A model package on disk to a `Classifier` that has proven itself: parse, check every digest, check shapes, replay the self-test.

Nothing is ever unpickled. Whatever is wrong is one sentence in `ModelUnavailable`, which `/health/ready` shows.
"""

import hashlib
from pathlib import Path

import msgspec
import numpy as np

from core import errors, phantom
from core.classifier import Classifier
from core.contract import ModelIdentity
from core.manifest import MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE, SelfTest, read
from core.network import Network

SELFTEST_SIDE_PX = 224


def load(folder: Path, interpreters: int = 1) -> Classifier:
    """Load the package in `folder`, or the only package in a folder of packages.

    Args:
        folder: holds `manifest.json`, or one sub-folder that does.
        interpreters: how many pictures may go through the network at once.

    Raises:
        errors.ModelUnavailable: the package is missing, altered, inconsistent, or does not answer its self-test.
    """
    try:
        return _load(_locate(folder), interpreters)
    except KeyError as error:
        raise errors.ModelUnavailable(f"Expected {error.args[0]} among the files. Received: a {MANIFEST_FILE} without it.") from error
    except OSError as error:
        raise errors.ModelUnavailable(f"Expected a readable model package. Received: {error}.") from error
    except (ValueError, RuntimeError) as error:  # msgspec's are; others: not UTF-8, a name that no file can have, links in a circle
        raise errors.ModelUnavailable(f"Expected a valid {MANIFEST_FILE} and {SELFTEST_FILE}. Received: {error}.") from error


def _load(package: Path, interpreters: int) -> Classifier:
    manifest, manifest_bytes = read(package)
    files = {name: _checked(package, name, digest) for name, digest in manifest.files.items()}
    selftest = msgspec.json.decode(files[SELFTEST_FILE], type=SelfTest)
    sha256 = hashlib.sha256(manifest_bytes).hexdigest()
    identity = ModelIdentity(name=manifest.name, version=manifest.version, sha256=sha256)
    classifier = Classifier(manifest, identity, Network(files[NETWORK_FILE], manifest, interpreters))
    _replay(selftest, classifier)
    return classifier


def _locate(folder: Path) -> Path:
    if (folder / MANIFEST_FILE).is_file():
        return folder
    found = sorted(path.parent for path in folder.glob(f"*/{MANIFEST_FILE}"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise errors.ModelUnavailable(f"Expected {MANIFEST_FILE}, or one folder with it, in {folder}. Received: {names}.")
    return found[0]


def _checked(package: Path, name: str, digest: str) -> bytes:
    path = (package / name).resolve()
    if not path.is_relative_to(package.resolve()):
        raise errors.ModelUnavailable(f"Expected files within the package. Received: {name!r}.")
    data = path.read_bytes()
    received = hashlib.sha256(data).hexdigest()
    if received != digest:
        raise errors.ModelUnavailable(f"Expected {name} with sha256 {digest[:12]}… as in {MANIFEST_FILE}. Received: {received[:12]}….")
    return data


def _replay(selftest: SelfTest, classifier: Classifier) -> None:
    for case in selftest.cases:
        pixels = phantom.chest(case.seed, SELFTEST_SIDE_PX)
        if hashlib.sha256(pixels.tobytes()).hexdigest() != case.pixels_sha256:
            raise errors.ModelUnavailable(
                f"Expected the phantom of self-test case {case.seed} to be drawn as on export. Received: other pixels."
            )
        try:
            received, _ = classifier.probabilities(pixels)
        except errors.InternalError as error:
            raise errors.ModelUnavailable(f"Expected an answer to self-test case {case.seed}. Received: {error}") from error
        if len(case.probabilities) != len(received) or not np.allclose(received, case.probabilities, rtol=0.0, atol=selftest.tolerance):
            raise errors.ModelUnavailable(
                f"Expected probabilities {list(case.probabilities)} ± {selftest.tolerance} for self-test case {case.seed}. "
                f"Received: {[round(float(value), 6) for value in received]}."
            )
