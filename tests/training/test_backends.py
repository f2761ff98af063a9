"""Another backend than TensorFlow learns, is interrupted and goes on; TensorFlow exports what it learned. JAX stands for the others."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core import package as packages
from core import phantom

pytestmark = pytest.mark.train

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 12
PATIENCE_S = 120.0


def start(backend: str, dataset: Path, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cli.main", "train", str(dataset), "--arch", "dense", "--weights", "none", "--head-epochs", "0"]
    command += ["--epochs", str(EPOCHS), "--batch-size", "8", "--tracking", "none"]
    command += ["--out", str(folder / "package"), "--work", str(folder / "work")]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "KERAS_BACKEND": backend}, stderr=subprocess.PIPE, text=True)


def wait_for(file: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not file.is_file():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end, f"{file.name} did not come"
        time.sleep(0.05)


def test_what_jax_learned_is_exported_by_tensorflow(phantoms: Path, tmp_path: Path) -> None:
    killed = start("jax", phantoms, tmp_path)
    wait_for(tmp_path / "work" / "state.json", killed)
    killed.send_signal(signal.SIGKILL)
    said = killed.communicate()[1]
    assert "learning on jax, which does not export: give the same command with KERAS_BACKEND=tensorflow afterwards" in said
    assert f"epoch {EPOCHS}," not in said

    learned = start("jax", phantoms, tmp_path)
    said = learned.communicate(timeout=PATIENCE_S)[1]
    assert learned.returncode == 2, said
    assert "going on after epoch" in said
    assert f"epoch {EPOCHS}," in said
    assert "error: conversion_failed: Expected the tensorflow backend for export. Received: jax." in said

    exported = start("tensorflow", phantoms, tmp_path)
    said = exported.communicate(timeout=PATIENCE_S)[1]
    assert exported.returncode == 0, said
    assert "fit_loss" not in said
    classifier = packages.load(tmp_path / "package")
    prediction = classifier.classify(phantom.jpeg(5), classifier.operating_point(None), "request", 40_000_000)
    assert sum(finding.probability for finding in prediction.findings) == pytest.approx(1.0, abs=1e-6)
    assert classifier.manifest.origin.libraries["keras_backend"] == "tensorflow"
