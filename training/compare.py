"""Architectures side by side: what they reach on training, validation and held-out patients, and what they cost to serve.

Called by `pneumonia compare`. A row is a cross-validation or a model package; what one of them does not know stays empty.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from matplotlib.figure import Figure
from tqdm import tqdm

from core import manifest
from core.manifest import MANIFEST_FILE, NETWORK_FILE, Interval, is_package
from training import architectures, convert, crossval, errors, networks, pages, precision
from training.crossval import Spread
from training.names import KINDS

_WARM_UP: Final = 3
_TIMED: Final = 31  # an odd number: the median is one that was measured
_NONE: Final = "–"
_WHOSE: Final = "of a cross-validation the mean over the folds (lowest to highest), of a package its figure (95 % interval)"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the comparison. AUROC is of pneumonia against normal; sizes are those of the network that would be served.

    Attributes:
        name: of the cross-validation or package.
        arch: the architecture, where it is one of ours.
        train: AUROC on the pictures that taught, over the folds.
        validation: on those that chose the epoch.
        own_train: the first of a package, with its 95 % interval.
        own_validation: the second of a package.
        cv: on those held out.
        held_out: a package's own, on its test patients, with its 95 % interval.
        bacterial_vs_viral: AUROC within the pneumonias, over the folds.
        held_out_kinds: the same of a package, with its 95 % interval.
        parameters: numbers that the network holds.
        size_bytes: of the LiteRT file.
        ms_per_picture: LiteRT on one thread of this machine, the median.
    """

    name: str
    arch: str | None
    train: Spread | None = None
    validation: Spread | None = None
    own_train: Interval | None = None
    own_validation: Interval | None = None
    cv: Spread | None = None
    held_out: Interval | None = None
    bacterial_vs_viral: Spread | None = None
    held_out_kinds: Interval | None = None
    parameters: int | None
    size_bytes: int
    ms_per_picture: float


def collect(folders: Sequence[Path], progress: bool = True) -> list[Row]:
    """Return a row for each folder, in their order.

    Raises:
        errors.NothingToCompare: a folder holds neither a cross-validation nor a package.
        errors.ConversionFailed: the cost of a cross-validated architecture needs TensorFlow.
    """
    return [_row(folder) for folder in tqdm(folders, "comparing", unit="model", disable=not progress)]


def render(rows: Sequence[Row]) -> str:
    """Return the comparison as a page."""
    table = pages.Table(HEADING, [cells(row) for row in rows], f"AUROC: {_WHOSE}.")
    picture = pages.Picture(_figure(rows), f"AUROC on held-out patients over the size of each network: {_WHOSE}")
    lead = "AUROC of pneumonia against normal; held-out patients taught nothing and chose nothing."
    return pages.render("Architectures compared", lead, [pages.Section("Table", sentences(rows), [table], [picture])])


HEADING: Final = ("model", "train AUROC", "validation AUROC", "held-out AUROC", "viral vs bacterial", "parameters", "size", "ms a picture")


def cells(row: Row) -> tuple[str, ...]:
    """Return one row as text, a cell for each of HEADING."""
    parameters = f"{row.parameters:,}" if row.parameters else _NONE
    size = f"{row.size_bytes / 1e6:.2f} MB"
    return (
        row.name,
        _shown(row.train or row.own_train),
        _shown(row.validation or row.own_validation),
        _shown(row.cv or row.held_out),
        _shown(row.bacterial_vs_viral or row.held_out_kinds),
        parameters,
        size,
        f"{row.ms_per_picture:.2f}",
    )


def sentences(rows: Sequence[Row]) -> list[str]:
    """Say what the table shows: who is best, whether the lead is more than the folds differ, who learns by heart, and what it costs."""
    said = []
    validated = sorted(((row.cv, row) for row in rows if row.cv), key=lambda pair: -pair[0].mean)
    if validated:
        best, winner = validated[0]
        among = "" if len(validated) == len(rows) else "Among those that were cross-validated "
        said.append(f"{among}{winner.name} is best on held-out patients: AUROC {best.mean:.4f}.")
        near = [row.name for figure, row in validated[1:] if figure.high >= best.low]
        if near:
            said.append(f"Its lead over {', '.join(near)} is no larger than the folds differ among themselves.")
            smallest = min((row for figure, row in validated if figure.high >= best.low), key=lambda row: row.size_bytes)
            said.append(f"The smallest of those that the folds cannot tell from it is {smallest.name}: {smallest.size_bytes / 1e6:.2f} MB.")
    both = [(row.name, row.train or row.own_train, row.cv or row.held_out) for row in rows]
    gaps = [(round(_middle(taught) - _middle(unseen), 4), name) for name, taught, unseen in both if taught and unseen]
    if gaps and max(gaps)[0] > 0.0:
        gap, name = max(gaps)
        said.append(f"{name} learns most by heart: its AUROC is {gap:.4f} higher on the pictures that taught it than on held-out ones.")
    fastest, slowest = (pick(rows, key=lambda row: row.ms_per_picture) for pick in (min, max))
    if fastest is not slowest:
        factor = slowest.ms_per_picture / fastest.ms_per_picture
        said.append(f"{slowest.name} takes {factor:.0f} times as long a picture as {fastest.name}, on one thread of this machine.")
    return said


def milliseconds(flatbuffer: bytes) -> float:
    """Return the median time that LiteRT takes for one picture on one thread."""
    interpreter = Interpreter(model_content=flatbuffer, num_threads=1)
    interpreter.allocate_tensors()
    (taken,) = interpreter.get_input_details()
    interpreter.set_tensor(taken["index"], np.random.default_rng(0).uniform(-1.0, 1.0, taken["shape"]).astype(np.float32))
    times = []
    for _ in range(_WARM_UP + _TIMED):
        start = perf_counter()
        interpreter.invoke()
        times.append((perf_counter() - start) * 1000.0)
    return round(statistics.median(times[_WARM_UP:]), 3)


def _row(folder: Path) -> Row:
    if (folder / crossval.RESULT_FOLDER / crossval.SUMMARY_FILE).is_file():
        return _of_crossval(crossval.read(folder))
    if is_package(folder):
        return _of_package(folder)
    raise errors.NothingToCompare(
        f"Expected a model package ({MANIFEST_FILE}) or a finished cross-validation ({crossval.RESULT_FOLDER}/{crossval.SUMMARY_FILE}). "
        f"Received: {folder}, which holds neither."
    )


def _of_crossval(summary: crossval.Summary) -> Row:
    """Size and speed depend on the architecture, not on what its weights have learned: it is built anew."""
    contract = networks.input_contract(summary.arch, summary.config.get("side_px", 0))
    model = networks.build(summary.arch, "none", len(KINDS), contract=contract)
    flatbuffer = precision.halve(convert.to_litert(networks.with_outputs(model)))
    return Row(
        name=summary.name,
        arch=summary.arch,
        train=summary.figures.get("train_auroc"),
        validation=summary.figures.get("validation_auroc"),
        cv=summary.figures.get("auroc"),
        bacterial_vs_viral=summary.figures.get("bacterial_vs_viral_auroc"),
        parameters=int(model.count_params()),
        size_bytes=len(flatbuffer),
        ms_per_picture=milliseconds(flatbuffer),
    )


def _of_package(folder: Path) -> Row:
    try:
        written, _ = manifest.read(folder)
        flatbuffer = (folder / NETWORK_FILE).read_bytes()
    except (OSError, ValueError) as error:
        raise errors.NothingToCompare(f"Expected a readable model package. Received: {folder}: {error}.") from error
    arch = written.origin.config.get("arch")
    known = isinstance(arch, str) and arch in architectures.NAMES

    def measured(name: str) -> Interval | None:
        return msgspec.convert(written.metrics.get(name), Interval | None)

    return Row(
        name=f"{written.name} {written.version}",
        arch=str(arch) if known else None,
        own_train=measured("train_auroc"),
        own_validation=measured("validation_auroc"),
        held_out=measured("auroc"),
        held_out_kinds=measured("bacterial_vs_viral_auroc"),
        parameters=int(networks.build(str(arch), "none", len(written.labels), contract=written.input).count_params()) if known else None,
        size_bytes=len(flatbuffer),
        ms_per_picture=milliseconds(flatbuffer),
    )


def _middle(figure: Spread | Interval) -> float:
    return figure.mean if isinstance(figure, Spread) else figure.value


def _shown(figure: Spread | Interval | None) -> str:
    return f"{_middle(figure):.4f} ({figure.low:.4f} to {figure.high:.4f})" if figure else _NONE


def _figure(rows: Sequence[Row]) -> Figure:
    figure = Figure(figsize=(7.0, 4.0))
    axes = figure.subplots()
    for row in rows:
        shown = row.cv or row.held_out
        if shown is None:
            continue
        middle, x = _middle(shown), row.size_bytes / 1e6
        axes.errorbar([x], [middle], yerr=[[middle - shown.low], [shown.high - middle]], fmt="o", capsize=4)
        axes.annotate(row.name, (x, middle), xytext=(8, 4), textcoords="offset points")
    axes.set_xscale("log")
    axes.set_xlabel("size of the network, MB")
    axes.set_ylabel("AUROC on held-out patients")
    axes.grid(visible=True, alpha=0.3)
    return figure
