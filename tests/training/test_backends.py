"""Another backend than TensorFlow learns, is killed and goes on; TensorFlow exports what it learned. JAX stands for the others."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core import package as packages
from core import phantom
from training import libraries

pytestmark = pytest.mark.train

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 12
PATIENCE_S = 400.0  # JAX compiles for long where other tests run beside
SAID = "stderr.txt"


@contextmanager
def training(backend: str, dataset: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A training that is ended with the block; what it says lies in the folder."""
    command = [sys.executable, "-m", "cli.main", "train", str(dataset), "--arch", "dense", "--weights", "none", "--head-epochs", "0"]
    command += ["--epochs", str(EPOCHS), "--batch-size", "8", "--tracking", "none"]
    command += ["--out", str(folder / "package"), "--work", str(folder / "work")]
    with (folder / SAID).open("wb") as said:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "KERAS_BACKEND": backend}, stderr=said)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run(backend: str, dataset: Path, folder: Path) -> tuple[int, str]:
    with training(backend, dataset, folder) as process:
        return process.wait(PATIENCE_S), (folder / SAID).read_text()


def kill_after_an_epoch(backend: str, dataset: Path, folder: Path) -> str:
    with training(backend, dataset, folder) as process:
        end = time.monotonic() + PATIENCE_S
        while not (folder / "work/state.json").is_file():
            assert process.poll() is None, (folder / SAID).read_text()
            assert time.monotonic() < end, "no epoch came to its end"
            time.sleep(0.05)
    return (folder / SAID).read_text()


def test_what_jax_learned_is_exported_by_tensorflow(phantoms: Path, tmp_path: Path) -> None:
    said = kill_after_an_epoch("jax", phantoms, tmp_path)
    assert "learning on jax, which does not export: give the same command with KERAS_BACKEND=tensorflow afterwards" in said
    assert f"epoch {EPOCHS}," not in said

    code, said = run("jax", phantoms, tmp_path)
    assert code == 2, said
    assert "going on after epoch" in said
    assert f"epoch {EPOCHS}," in said
    assert "error: conversion_failed: Expected the tensorflow backend for export. Received: jax." in said

    code, said = run("tensorflow", phantoms, tmp_path)
    assert code == 0, said
    assert "fit_loss" not in said
    classifier = packages.load(tmp_path / "package")
    prediction = classifier.classify(phantom.jpeg(5), classifier.operating_point(None), "request", 40_000_000)
    assert sum(finding.probability for finding in prediction.findings) == pytest.approx(1.0, abs=1e-6)
    made_with = classifier.manifest.origin.libraries
    assert (made_with["keras_backend"], made_with["jax"]) == ("jax", libraries.version("jax"))
