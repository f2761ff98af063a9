"""Every error has a code of its own, and exactly one status."""

import re

import pytest

from core import errors
from core.routes import ROUTES
from core.statuses import STATUS_OF

LEAVES = errors.leaves()


@pytest.mark.parametrize("leaf", LEAVES, ids=lambda leaf: leaf.__name__)
def test_code_is_the_name_of_the_error_in_snake_case(leaf: type[errors.PneumoniaError]) -> None:
    assert leaf.code == re.sub(r"(?<!^)([A-Z])", r"_\1", leaf.__name__).lower()


def test_no_two_errors_share_a_code() -> None:
    assert len({leaf.code for leaf in LEAVES}) == len(LEAVES)


def test_table_of_statuses_holds_every_error_and_nothing_else() -> None:
    assert set(STATUS_OF) == set(LEAVES)


@pytest.mark.parametrize(
    ("base", "statuses"),
    [(errors.RequestError, range(400, 500)), (errors.PictureError, (413, 415, 422)), (errors.ServiceError, (500, 502, 503))],
    ids=["request", "picture", "service"],
)
def test_status_says_whose_fault_it_is(base: type[errors.PneumoniaError], statuses: "range | tuple[int, ...]") -> None:
    below = errors.leaves(base)

    assert below
    assert all(STATUS_OF[leaf] in statuses for leaf in below)


def test_every_error_belongs_to_one_of_three_kinds() -> None:
    kinds = (errors.RequestError, errors.PictureError, errors.ServiceError)

    assert all(issubclass(leaf, kinds) for leaf in LEAVES)


def test_every_error_but_those_of_routing_is_promised_by_some_route() -> None:
    promised = {error for route in ROUTES for error in route.refusals}

    assert set(LEAVES) - promised == {errors.UnknownRoute, errors.MethodNotAllowed}
