"""The table of `pneumonia predict` says of a share what the page says."""

import pytest

from cli import predict
from core import phantom
from core.api import Service
from tests.support import shares
from tests.support.requests import post, read


@pytest.mark.parametrize(("probability", "words"), shares.IN_WORDS)
def test_shares_are_told_as_on_the_page(probability: float, words: str, service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    answer = read(service.handle(post(phantom.jpeg())))
    answer["pneumonia"]["probability"] = probability
    answer["pneumonia"]["operating_point"]["threshold"] = probability
    table = predict.Table(["a.jpg"])

    table.add("a.jpg", answer)
    table.close()

    _, row, _, model, *_ = capsys.readouterr().out.splitlines()
    assert f"{words}%" in row.split()
    assert f"threshold {words}%, " in model
