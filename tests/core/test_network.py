"""The pool of interpreters: the same answers from many threads at once, and never more interpreters than allowed."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core import errors, images, phantom
from core.manifest import NETWORK_FILE, Manifest, read
from core.network import Floats, Network, Outputs
from tests.support import packages

THREADS = 12


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return read(packages.baked())[0]


@pytest.fixture(scope="module")
def flatbuffer() -> bytes:
    return (packages.baked() / NETWORK_FILE).read_bytes()


@pytest.fixture(scope="module")
def inputs(manifest: Manifest) -> list[Floats]:
    return [images.preprocess(phantom.chest(seed, 128), manifest.input) for seed in range(6)]


def given(outputs: Outputs) -> list[Floats]:
    """The outputs of a network that has all three."""
    present = [output for output in outputs if output is not None]
    assert len(present) == len(outputs)
    return present


def test_outputs_have_the_manifests_shapes(flatbuffer: bytes, manifest: Manifest, inputs: list[Floats]) -> None:
    outputs = Network(flatbuffer, manifest, 1).run(inputs[0])

    labels = len(manifest.labels)
    assert outputs.probabilities.shape == (labels,)
    assert outputs.maps is not None
    assert outputs.maps.ndim == 3
    assert outputs.maps.shape[2] == labels
    assert outputs.embedding is not None
    assert outputs.embedding.shape == (manifest.embedding_size,)
    assert {output.dtype for output in given(outputs)} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("maps", "embedding"), [(False, True), (True, False), (False, False)])
def test_a_network_gives_what_its_manifest_says_and_the_same_probabilities(
    tmp_path: Path, flatbuffer: bytes, manifest: Manifest, inputs: list[Floats], maps: bool, embedding: bool
) -> None:
    folder = packages.without(tmp_path, maps=maps, embedding=embedding)

    outputs = Network((folder / NETWORK_FILE).read_bytes(), read(folder)[0], 1).run(inputs[0])

    assert (outputs.maps is not None, outputs.embedding is not None) == (maps, embedding)
    assert np.array_equal(outputs.probabilities, Network(flatbuffer, manifest, 1).run(inputs[0]).probabilities)


def test_a_network_with_an_output_that_its_manifest_denies_is_refused(flatbuffer: bytes, manifest: Manifest) -> None:
    for denied in ({"class_activation_maps": False}, {"embedding_size": None, "guard": None}):
        with pytest.raises(errors.ModelUnavailable, match="Expected a float32 network from"):
            Network(flatbuffer, msgspec.structs.replace(manifest, **denied), 1)


def test_probabilities_are_the_softmax_of_the_maps_mean(flatbuffer: bytes, manifest: Manifest, inputs: list[Floats]) -> None:
    network = Network(flatbuffer, manifest, 1)

    for values in inputs:
        outputs = network.run(values)
        assert outputs.maps is not None
        odds = np.exp(outputs.maps.mean(axis=(0, 1)).astype(np.float64))
        assert np.allclose(outputs.probabilities, odds / odds.sum(), atol=2e-3)


def test_outputs_are_copies_that_the_next_picture_does_not_change(flatbuffer: bytes, manifest: Manifest, inputs: list[Floats]) -> None:
    network = Network(flatbuffer, manifest, 1)
    first = network.run(inputs[0])
    kept = [output.copy() for output in given(first)]

    network.run(inputs[1])

    assert all(np.array_equal(output, copy) for output, copy in zip(given(first), kept, strict=True))


def test_different_pictures_give_different_answers(flatbuffer: bytes, manifest: Manifest, inputs: list[Floats]) -> None:
    network = Network(flatbuffer, manifest, 1)

    assert len({network.run(values).probabilities.tobytes() for values in inputs}) == len(inputs)


def gather(network: Network, inputs: list[Floats], rounds: int) -> list[tuple[int, list[Floats]]]:
    """Run every picture several times from many threads that start together."""
    gate = threading.Barrier(THREADS)

    def work(thread: int) -> list[tuple[int, list[Floats]]]:
        gate.wait(timeout=30)
        return [(index, given(network.run(inputs[index]))) for turn in range(rounds) for index in [(thread + turn) % len(inputs)]]

    with ThreadPoolExecutor(THREADS) as pool:
        return [pair for answers in pool.map(work, range(THREADS)) for pair in answers]


@pytest.mark.parametrize("interpreters", [1, 2, 5])
def test_many_threads_get_what_one_gets(flatbuffer: bytes, manifest: Manifest, inputs: list[Floats], interpreters: int) -> None:
    alone = [given(Network(flatbuffer, manifest, 1).run(values)) for values in inputs]

    together = gather(Network(flatbuffer, manifest, interpreters), inputs, rounds=8)

    assert len(together) == THREADS * 8
    for index, outputs in together:
        assert all(np.array_equal(one, other) for one, other in zip(alone[index], outputs, strict=True))


@pytest.mark.parametrize("interpreters", [1, 3])
def test_no_more_interpreters_are_made_than_allowed(
    flatbuffer: bytes, manifest: Manifest, inputs: list[Floats], monkeypatch: pytest.MonkeyPatch, interpreters: int
) -> None:
    made = count_interpreters(monkeypatch)

    network = Network(flatbuffer, manifest, interpreters)
    assert len(made) == 1
    gather(network, inputs, rounds=6)

    assert 1 <= len(made) <= interpreters


def test_one_request_at_a_time_never_pays_for_a_second_interpreter(
    flatbuffer: bytes, manifest: Manifest, inputs: list[Floats], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = count_interpreters(monkeypatch)
    network = Network(flatbuffer, manifest, 8)

    for values in inputs:
        network.run(values)

    assert len(made) == 1


def test_failed_run_gives_its_interpreter_back(flatbuffer: bytes, manifest: Manifest, inputs: list[Floats]) -> None:
    network = Network(flatbuffer, manifest, 1)
    for _ in range(3):
        with pytest.raises(ValueError, match="Cannot set tensor"):
            network.run(inputs[0][:5])

    assert network.run(inputs[0]).probabilities.shape == (len(manifest.labels),)


@pytest.mark.parametrize("data", [b"", b"text", bytes(5000)], ids=["nothing", "text", "zeros"])
def test_what_is_no_network_is_refused(manifest: Manifest, data: bytes) -> None:
    with pytest.raises(errors.ModelUnavailable, match="LiteRT"):
        Network(data, manifest, 1)


def count_interpreters(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Record each interpreter that a network makes."""
    made: list[object] = []
    make: Callable[[Network], object] = Network._new_interpreter

    def counted(self: Network) -> object:
        made.append(make(self))
        return made[-1]

    monkeypatch.setattr(Network, "_new_interpreter", counted)
    return made
