"""What a training run wrote down after every epoch."""

import pytest

from training import errors, history

HEAD = "epoch,fit_loss,tune_loss,tune_auroc,tune_auroc_shifted\n"
ROWS = HEAD + "1,0.9,0.2,0.8,0.7\n2,0.8,0.5,0.9,0.8\n3,0.7,0.4,0.95,0.85\n"


def test_an_epoch_that_was_written_twice_counts_as_it_was_written_last() -> None:
    found = history.read((ROWS + "2,0.8,0.3,0.9,0.8\n").encode())
    assert found.epochs == (1, 2, 3)
    assert found.figures["tune_loss"] == [0.2, 0.3, 0.4]


@pytest.mark.parametrize(("head_epochs", "best"), [(0, 1), (1, 3), (3, None)])
def test_the_epoch_that_is_kept_is_the_best_once_all_layers_learn(head_epochs: int, best: int | None) -> None:
    assert history.kept(history.read(ROWS.encode()), head_epochs) == best


def test_where_no_epoch_was_judged_the_last_is_kept() -> None:
    assert history.kept(history.read(b"epoch,fit_loss\n1,0.5\n2,0.4\n"), head_epochs=1) == 2


@pytest.mark.parametrize("data", [b"", HEAD.encode(), b"{}", b"\xff\xfe", b"epoch,tune_loss\n1,much\n", b"epoch,tune_loss\n1\n"])
def test_what_is_no_history_is_refused(data: bytes) -> None:
    with pytest.raises(errors.RunUnusable, match=r"history\.csv"):
        history.read(data)


@pytest.mark.parametrize("rows", [ROWS, HEAD + "1,0.9,0.2,nan,0.7\n", "epoch,fit_loss\n1,0.5\n2,0.4\n"], ids=["usual", "one", "few"])
def test_any_history_can_be_drawn(rows: str) -> None:
    figure = history.draw(history.read(rows.encode()), 1)
    assert all(axes.get_xlabel() == "epoch" for axes in figure.axes)
