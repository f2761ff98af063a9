"""A model package, in a folder or elsewhere, to a `Classifier` that has proven itself: parse, digests, shapes, self-test.

Nothing is ever unpickled. Whatever is wrong is one sentence in `ModelUnavailable`, which `/health/ready` shows.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from core import errors, guard, phantom
from core.classifier import Classifier
from core.contract import ModelIdentity
from core.manifest import GUARD_FILE, MANIFEST_FILE, NETWORK_FILE, SELFTEST_FILE, Manifest, SelfTest, is_package
from core.network import Network

SELFTEST_SIDE_PX = 224

Reader = Callable[[str], bytes]
"""The content of a package's file by its relative name; OSError or ModelUnavailable where there is none."""


def load(folder: Path, interpreters: int = 1) -> Classifier:
    """Load the package in `folder`, or the only package in a folder of packages.

    Args:
        folder: holds `manifest.json`, or one sub-folder that does.
        interpreters: how many pictures may go through the network at once.

    Raises:
        errors.ModelUnavailable: the package is missing, altered, inconsistent, or does not answer its self-test.
    """
    return read_from(lambda: reader(locate(folder)), interpreters)


def read_from(open_reader: Callable[[], Reader], interpreters: int = 1) -> Classifier:
    """Load the package whose files a reader gives, wherever they lie.

    Args:
        open_reader: gives the reader; called here so that what it raises becomes the same sentence.
        interpreters: how many pictures may go through the network at once.

    Raises:
        errors.ModelUnavailable: the package is missing, altered, inconsistent, or does not answer its self-test.
    """
    try:
        return _load(open_reader(), interpreters)
    except KeyError as error:
        raise errors.ModelUnavailable(f"Expected {error.args[0]} among the files. Received: a {MANIFEST_FILE} without it.") from error
    except OSError as error:
        raise errors.ModelUnavailable(f"Expected a readable model package. Received: {error}.") from error
    except (ValueError, RuntimeError) as error:  # msgspec's are; others: not UTF-8, a name that no file can have, links in a circle
        raise errors.ModelUnavailable(f"Expected a valid {MANIFEST_FILE} and {SELFTEST_FILE}. Received: {error}.") from error


def reader(package: Path) -> Reader:
    """Return what reads the files of a folder, and none outside it."""

    def read(name: str) -> bytes:
        path = (package / name).resolve()
        if not path.is_relative_to(package.resolve()):
            raise errors.ModelUnavailable(f"Expected files within the package. Received: {name!r}.")
        return path.read_bytes()

    return read


def checked(read: Reader, name: str, digest: str) -> bytes:
    """Return a file whose sha256 is the one that the manifest says.

    Raises:
        errors.ModelUnavailable: it is another.
    """
    data = read(name)
    received = hashlib.sha256(data).hexdigest()
    if received != digest:
        raise errors.ModelUnavailable(f"Expected {name} with sha256 {digest[:12]}… as in {MANIFEST_FILE}. Received: {received[:12]}….")
    return data


def _load(read: Reader, interpreters: int) -> Classifier:
    manifest_bytes = read(MANIFEST_FILE)
    manifest = msgspec.json.decode(manifest_bytes, type=Manifest)
    needed: dict[str, bytes] = {}
    for name, digest in manifest.files.items():
        data = checked(read, name, digest)
        if name in (NETWORK_FILE, SELFTEST_FILE, GUARD_FILE):  # the others are looked at, not kept: network.keras can be large
            needed[name] = data
    selftest = msgspec.json.decode(needed[SELFTEST_FILE], type=SelfTest)
    sha256 = hashlib.sha256(manifest_bytes).hexdigest()
    identity = ModelIdentity(name=manifest.name, version=manifest.version, sha256=sha256)
    watches = None if manifest.guard is None else guard.Guard(manifest.guard, guard.read(needed[GUARD_FILE], manifest.embedding_size))
    classifier = Classifier(manifest, identity, Network(needed[NETWORK_FILE], manifest, interpreters), watches)
    _replay(selftest, classifier)
    return classifier


def locate(folder: Path) -> Path:
    """Return the package's own folder: the one given, or the only one in it.

    Raises:
        errors.ModelUnavailable: none is there, or several are.
    """
    if is_package(folder):
        return folder
    found = sorted(path.parent for path in folder.glob(f"*/{MANIFEST_FILE}"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise errors.ModelUnavailable(f"Expected {MANIFEST_FILE}, or one folder with it, in {folder}. Received: {names}.")
    return found[0]


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
