"""What a package says of its use and of its limits, by what is known of the data set that taught it."""

from typing import Final, NamedTuple

import msgspec

from core.manifest import Manifest
from training import errors, guard, names
from training.dataset import Dataset

USE_FOR_CHILDREN: Final = (
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
_NOT_SAID: Final = "Whom the pictures that taught it show, nobody has said; other hospitals, ages and detectors than theirs are untested."
_SOME_CHILDREN: Final = "Trained on children; adults, and other hospitals, ages and detectors than theirs are untested."
_OF_ANOTHER: Final = (
    "The labels are those of the folders; how they came about is not known here.",
    guard.UNGUARDED,
    "Figures are of held-out pictures of the same data set; expect worse ones elsewhere.",
)

TRAINED_ELSEWHERE: Final = "Trained elsewhere: on which pictures and how is not known to this package."
UNKNOWN_DATA: Final = "not known: trained elsewhere"
"""Stands for the data set in the origin of a network from elsewhere where nobody said it."""
UNKNOWN_WEIGHTS: Final = "trained elsewhere: "
"""Begins what stands for its initial weights where nobody said those; its file follows."""
TOLD_ELSEWHERE: Final = "Trained elsewhere: what stands here of those pictures, whoever packaged it said; how it learned is not known."
USE_OF_ANY: Final = "Research and education. Not a medical device; a person who can read the picture decides."
_SAID_CHILDREN: Final = "Said to be trained on children; adults are untested."
RETRAINED: Final = "Retrained on uploads too, of which nobody tells whose they are: two pictures of one patient may stand in two parts."
_SAID: Final = "Said of"
_OF_FIGURES: Final = (OF_THE_PUBLIC[-1], _OF_ANOTHER[-1])
_LASTING: Final = (*OF_THE_PUBLIC, _NOT_SAID, _SOME_CHILDREN, _SAID_CHILDREN, *_OF_ANOTHER, *guard.SENTENCES, RETRAINED)
_NEARLY_ALL: Final = 0.9  # a few strays do not make it another


class Claims(NamedTuple):
    """The sentences of a manifest, and whether the model is one for children."""

    of_children: bool
    intended_use: str
    limits: tuple[str, ...]


def of(taught_by: Dataset, *, of_children: bool = False) -> Claims:
    """Return the claims of a network that learned from this data set.

    Where nearly all files lie and are called as in the public data set (Kermany et al. 2018) it is taken for that, and is then of children.
    Of another nothing is known but what a person says.

    Args:
        taught_by: the data set.
        of_children: whether a person says that it is of children.
    """
    paths = [sample.path for sample in taught_by.samples]
    public = sum(map(names.is_public, paths)) >= _NEARLY_ALL * len(paths)
    unnamed = sum(not names.tells_patient(sample.patient) for sample in taught_by.samples)
    doubt = (
        f"{unnamed:,} of {len(paths):,} file names tell no patient: one with several pictures may be on both sides of the split, which "
        "flatters the figures."
    )
    of_another = (_SOME_CHILDREN if of_children else _NOT_SAID, *_OF_ANOTHER)
    children = public or of_children
    limits = (OF_THE_PUBLIC if public else of_another) + ((doubt,) if unnamed else ())
    return Claims(children, USE_FOR_CHILDREN if children else _USE_OF_ANOTHER, limits)


def retrained(before: Manifest) -> tuple[str, ...]:
    """Return the limits of a package that was retrained from this one.

    Whom the pictures show stays as it was. What is said of figures does not, for they are others now, and what a person wrote is said of
    the package that it was written of.
    """
    origin = f"{_SAID} {before.name} {before.version}, from which it went on: "
    limits = (limit for limit in before.limits if limit not in _OF_FIGURES)
    return (*(limit if limit in _LASTING or limit.startswith(_SAID) else origin + limit for limit in limits), RETRAINED)


def of_patients(before: Manifest, *, of_children: bool) -> Manifest:
    """Return the manifest of a model of which a person says whether children taught it.

    Raises:
        errors.InvalidOption: it learned from the public data set, which is of children.
    """
    if not of_children and OF_THE_PUBLIC[0] in before.limits:
        raise errors.InvalidOption("Expected a package of other pictures than those of the public data set, which are of children.")
    limits = [limit for limit in before.limits if limit != _SAID_CHILDREN]
    if of_children:
        limits = [_SOME_CHILDREN if limit == _NOT_SAID else limit for limit in limits]
        if not {OF_THE_PUBLIC[0], _SOME_CHILDREN} & set(limits):
            limits.insert(1, _SAID_CHILDREN)
        use = {_USE_OF_ANOTHER: USE_FOR_CHILDREN, USE_OF_ANY: USE_FOR_CHILDREN}
    else:
        limits = [_NOT_SAID if limit == _SOME_CHILDREN else limit for limit in limits]
        use = {USE_FOR_CHILDREN: USE_OF_ANY if "brought_from" in before.origin.config else _USE_OF_ANOTHER}
    return msgspec.structs.replace(
        before,
        of_children=of_children,
        intended_use=use.get(before.intended_use, before.intended_use),
        limits=guard.limits(limits, before.metrics.get("guard"), for_children=of_children),
    )


def told_by_a_person(manifest: Manifest) -> bool:
    """Whether it stands in the manifest that children taught the model because a person said so."""
    return _SOME_CHILDREN in manifest.limits or _SAID_CHILDREN in manifest.limits
