"""What a package says of its use and of its limits, by what is known of the data set that taught it."""

from typing import Final, NamedTuple

from core.manifest import Manifest
from training import guard, names
from training.dataset import Dataset

INTENDED_USE: Final = (
    "Research and education: the probability of pneumonia on a frontal chest X-ray of a child. "
    "Not a medical device; a person who can read the picture decides."
)
OF_THE_PUBLIC: Final = (
    "Trained on children of one to five years from one hospital; adults, other hospitals and other detectors are untested.",
    "The labels bacterial and viral are weak: they come from the course of the illness, not from the picture alone.",
    "The data set's normal pictures are sharper than its others; augmentation works against this shortcut, but some of it may remain.",
    guard.UNGUARDED,
    "Figures are of held-out patients of the same hospital; expect lower specificity elsewhere.",
)

_USE_OF_ANOTHER: Final = (
    "Research and education: the probability of pneumonia on a frontal chest X-ray like those that it learned from. "
    "Not a medical device; a person who can read the picture decides."
)
_OF_ANOTHER: Final = (
    "Whom the pictures that taught it show, nobody has said; other hospitals, ages and detectors than theirs are untested.",
    "The labels are those of the folders; how they came about is not known here.",
    guard.UNGUARDED,
    "Figures are of held-out pictures of the same data set; expect worse ones elsewhere.",
)

RETRAINED: Final = "Retrained on uploads too, of which nobody tells whose they are: two pictures of one patient may stand in two parts."
_SAID: Final = "Said of"
_OF_FIGURES: Final = (OF_THE_PUBLIC[-1], _OF_ANOTHER[-1])
_LASTING: Final = (*OF_THE_PUBLIC, *_OF_ANOTHER, *guard.SENTENCES, RETRAINED)
_NEARLY_ALL: Final = 0.9  # a few strays do not make it another


class Claims(NamedTuple):
    """The sentences of a manifest."""

    intended_use: str
    limits: tuple[str, ...]


def of(taught_by: Dataset) -> Claims:
    """Return the claims of a network that learned from this data set.

    Where nearly all files lie and are called as in the public data set (Kermany et al. 2018) it is taken for that. Of another nothing is
    known.
    """
    paths = [sample.path for sample in taught_by.samples]
    public = sum(map(names.is_public, paths)) >= _NEARLY_ALL * len(paths)
    unnamed = sum(not names.tells_patient(sample.patient) for sample in taught_by.samples)
    doubt = (
        f"{unnamed:,} of {len(paths):,} file names tell no patient: one with several pictures may be on both sides of the split, which "
        "flatters the figures."
    )
    limits = (OF_THE_PUBLIC if public else _OF_ANOTHER) + ((doubt,) if unnamed else ())
    return Claims(INTENDED_USE if public else _USE_OF_ANOTHER, limits)


def retrained(before: Manifest) -> tuple[str, ...]:
    """Return the limits of a package that was retrained from this one.

    Whom the pictures show stays as it was. What is said of figures does not, for they are others now, and what a person wrote is said of
    the package that it was written of.
    """
    origin = f"{_SAID} {before.name} {before.version}, from which it went on: "
    limits = (limit for limit in before.limits if limit not in _OF_FIGURES)
    return (*(limit if limit in _LASTING or limit.startswith(_SAID) else origin + limit for limit in limits), RETRAINED)
