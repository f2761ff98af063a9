"""What a package or a picture leads to, in words."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, Serve
from tests.browser.given import SOUND, give
from tests.support import packages


@pytest.mark.parametrize(
    ("threshold", "zone", "words", "reason", "kind"),
    [
        pytest.param(0.1, None, "Pneumonia likely", "From 10.0\u00a0% on, the operating point “only” says pneumonia.", True, id="positive"),
        pytest.param(
            0.9, None, "Pneumonia unlikely", "Below 90.0\u00a0%, the operating point “only” says no pneumonia.", False, id="negative"
        ),
        pytest.param(
            0.5,
            (0.1, 0.9),
            "Not decided: a person should look",
            "Between 10.0\u00a0% and 90.0\u00a0%, the operating point “only” decides nothing.",
            True,
            id="indeterminate",
        ),
    ],
)
def test_decision_is_told_in_words(
    open_page: Open, serve: Serve, tmp_path: Path, threshold: float, zone: tuple[float, float] | None, words: str, reason: str, kind: bool
) -> None:
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(packages.with_point(tmp_path, threshold, zone))}))

    give(page, SOUND)

    article = page.get_by_role("article", name="one.jpg")
    expect(article.locator(".verdict")).to_have_text(words)
    expect(article.get_by_text(reason)).to_be_visible()
    expect(article.get_by_text("Most probable kind")).to_contain_text("of the pneumonia probability" if kind else "none is named")
    expect(article.get_by_text("Hatched: no decision is made here.")).to_have_count(1 if zone else 0)


def test_operating_point_that_nobody_measured_says_so(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(packages.unmeasured(tmp_path))}))

    give(page, SOUND)

    expect(page.locator("#point-says")).to_have_text("Not measured")
    expect(page.get_by_role("article").get_by_text("Nobody has measured what this operating point gives.").first).to_be_visible()
