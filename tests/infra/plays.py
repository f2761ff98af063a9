"""What the plays of both clouds share: the images of a commit, how they are looked at and pushed, and a checkout to deploy from."""

from collections.abc import Callable
from pathlib import Path

from tests.support.fakes import Call, Done, Stage, call, checkout

COMMIT, ACCOUNT = "abc123def456", "someone@example.org"
REVISION = COMMIT + "0" * 28
DIGESTS = {"serve": "sha256:" + "a" * 64, "train": "sha256:" + "b" * 64}
LOCAL = {target: f"pneumonia-functions:{target}" for target in DIGESTS}
LABEL = '{{index .Config.Labels "org.opencontainers.image.revision"}}'


def inspect(target: str, revision: str = REVISION) -> Call:
    return Call(("docker", "image", "inspect", "--format", LABEL, LOCAL[target]), says=f"{revision}\n")


def push_images(registry: str, describe: Callable[[str, bool], Call], there: bool) -> list[Call]:
    """Push both images to a registry, or find them there."""
    calls = []
    for target in DIGESTS:
        calls.append(describe(target, there))
        if there:
            continue
        calls.append(inspect(target))
        calls.append(call(f"docker tag {LOCAL[target]} {registry}/{target}:{COMMIT}"))
        calls.append(call(f"docker push {registry}/{target}:{COMMIT}"))
    return calls


def filled_in(folder: Path, settings: str, text: str) -> Path:
    """Return a checkout in a folder, with its settings filled in."""
    place = checkout(folder)
    (place / settings).parent.mkdir(exist_ok=True)
    (place / settings).write_text(text)
    return place


def run(place: Path, target: str, calls: list[Call], **environ: str) -> Done:
    """Run a make target, or a script of the checkout, against a play."""
    command = [target] if target.endswith(".sh") else ["make", "--no-print-directory", *target.split()]
    return Stage(place.parent / "stage").run(command, calls, place, {"COMMIT": COMMIT, **environ})
