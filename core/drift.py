"""Whether probabilities and distances of today are spread as when the model was measured: the population stability index (PSI).

Called by `core.metrics` for its gauge, by `pneumonia drift` over what was recorded, and by training, which writes the reference.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from core.manifest import GuardContract

Verdict = Literal["stable", "moderate", "shifted"]

REFERENCE: Final = "score_histogram"
"""Name of the reference among the manifest's metrics: the share of held-out pictures in each bin."""
BOUNDS: Final = tuple(tenths / 10 for tenths in range(1, 11))
"""Upper ends of the bins of the probability of pneumonia; each belongs to its bin."""
# Siddiqi, Credit Risk Scorecards (Wiley, 2006): below 0.1 no significant change, up to 0.25 a small one to look into, above a major shift.
MODERATE_FROM: Final = 0.1
SHIFTED_ABOVE: Final = 0.25
_HALF: Final = 0.5  # a picture: keeps an empty bin from weighing without bound (Jeffreys' prior)
_CHI_SQUARE_95: Final = 16.919  # 95 % quantile with 9 degrees of freedom, one fewer than bins (fewer bins: less by chance)
_UNKNOWN_PICTURES: Final = 1000  # behind a reference that does not say of how many pictures it was made


class Reference(NamedTuple):
    """The share of pictures in each bin when the model was measured, and how many pictures that were."""

    shares: tuple[float, ...]
    pictures: int


def bin_of(probability: float) -> int:
    """Return the bin, 0 to 9, of a probability in [0, 1]."""
    return min(bisect_left(BOUNDS, probability), len(BOUNDS) - 1)


def count(probabilities: Iterable[float]) -> list[int]:
    """Return how many probabilities fall into each of the ten bins."""
    counts = [0] * len(BOUNDS)
    for probability in probabilities:
        counts[bin_of(probability)] += 1
    return counts


def shares(probabilities: Sequence[float]) -> list[float]:
    """Return the share of probabilities in each of the ten bins: what a manifest keeps as its reference."""
    return [round(number / len(probabilities), 6) for number in count(probabilities)]


def reference(metrics: Mapping[str, Any]) -> Reference | None:
    """Return the reference of a manifest's metrics, an open record; None where it has none, or one of another form."""
    found, pictures = metrics.get(REFERENCE), metrics.get("pictures")
    if not isinstance(found, list) or len(found) != len(BOUNDS) or not all(isinstance(share, int | float) for share in found):
        return None
    if min(found) < 0.0 or not math.isclose(sum(found), 1.0, abs_tol=1e-3):
        return None
    known = pictures if isinstance(pictures, int) and pictures > 0 else _UNKNOWN_PICTURES
    return Reference(tuple(float(share) for share in found), known)


def distance_reference(guard: GuardContract | None) -> Reference | None:
    """Return how the guard's distances were spread when they were measured; None where nobody did."""
    return Reference(guard.distance_shares, guard.pictures) if guard is not None and guard.distance_bounds else None


def count_distances(distances: Iterable[float], guard: GuardContract) -> list[int]:
    """Return how many distances fall into each bin of the package's; the last is open."""
    counts = [0] * (len(guard.distance_bounds) + 1)
    for distance in distances:
        counts[bisect_left(guard.distance_bounds, distance)] += 1
    return counts


def distance_histogram(distances: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return bounds that cut these distances into ten bins of about the same number, and the share in each."""
    ranked = sorted(distances)
    bounds = sorted({round(ranked[len(ranked) * tenth // 10], 4) for tenth in range(1, 10)})
    counts = [0] * (len(bounds) + 1)
    for distance in distances:
        counts[bisect_left(bounds, distance)] += 1
    return tuple(bounds), tuple(round(number / len(ranked), 6) for number in counts)


def psi(counts: Sequence[int], against: Reference) -> float:
    """Return the population stability index: the sum of (share - reference) · ln(share / reference) over the bins; 0 where equal.

    Half a picture is added to each bin on both sides, so that an empty one does not decide alone.

    Args:
        counts: pictures in each bin.
        against: the reference.
    """
    observed = _smooth(counts, sum(counts))
    expected = _smooth([share * against.pictures for share in against.shares], against.pictures)
    return sum((now - then) * math.log(now / then) for now, then in zip(observed, expected, strict=True))


def by_chance(pictures: int, against: Reference) -> float:
    """Return the PSI that 95 of 100 samples of this size stay below when nothing has shifted: it says which indices mean anything.

    Without a shift PSI is about chi-square distributed with bins - 1 degrees of freedom, times 1 / pictures + 1 / pictures of the
    reference (Yurdakul, Statistical Properties of Population Stability Index, Western Michigan University, 2018).
    """
    return _CHI_SQUARE_95 * (1.0 / pictures + 1.0 / against.pictures)


def verdict(index: float) -> Verdict:
    """Return what the rule of thumb says of an index."""
    if index < MODERATE_FROM:
        return "stable"
    return "moderate" if index <= SHIFTED_ABOVE else "shifted"


def _smooth(counts: Sequence[float], total: float) -> list[float]:
    return [(number + _HALF) / (total + _HALF * len(counts)) for number in counts]
