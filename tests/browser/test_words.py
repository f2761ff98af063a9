"""What a package or a picture leads to, in words."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from core.manifest import MANIFEST_FILE
from tests.browser.conftest import Open, Serve
from tests.browser.given import SOUND, give
from tests.contract.doors import HttpDoor
from tests.support import packages, shares


@pytest.mark.parametrize(
    ("threshold", "zone", "words", "reason", "kind"),
    [
        pytest.param(0.05, None, "Pneumonia likely", "From 5.0\u00a0% on, the operating point “only” says pneumonia.", True, id="positive"),
        pytest.param(
            0.9, None, "Pneumonia unlikely", "Below 90.0\u00a0%, the operating point “only” says no pneumonia.", False, id="negative"
        ),
        pytest.param(
            0.5,
            (0.05, 0.9),
            "Not decided: a person should look",
            "Between 5.0\u00a0% and 90.0\u00a0%, the operating point “only” decides nothing.",
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


def test_a_point_with_the_threshold_of_another_says_so(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    package = packages.with_point(tmp_path, 0.9)
    zone = {"name": "balanced", "indeterminate_from": 0.4}  # as `calibrate` leaves them where it finds one threshold for both
    packages.edit(package, MANIFEST_FILE, lambda manifest: manifest["operating_points"].append({**manifest["operating_points"][0], **zone}))
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(package)}))

    said = "^Sensitivity .*, specificity .*[.] Its threshold is that of “balanced”, too$"
    expect(page.locator("#point-says")).to_have_text(re.compile(said))


def with_probability(page: Page, probability: float) -> None:
    """Let the service give every picture this probability of pneumonia."""

    def answer(route: Route) -> None:
        body = route.fetch().json()
        body["pneumonia"]["probability"] = probability
        route.fulfill(json=body)

    page.route("**/predict?*", answer)


@pytest.mark.parametrize(("probability", "says"), [(0.09, "The heat map is all but clear"), (0.11, "Yellow to red")])
def test_a_heat_map_that_is_all_but_clear_is_called_so(open_page: Open, door: HttpDoor, probability: float, says: str) -> None:
    page = open_page(door)
    with_probability(page, probability)

    give(page, SOUND)

    expect(page.get_by_role("article", name="one.jpg").locator(".viewer")).to_contain_text(says)


@pytest.mark.parametrize(("probability", "shown"), shares.IN_WORDS)
def test_a_share_is_rounded_half_up_and_never_to_certainty(open_page: Open, door: HttpDoor, probability: float, shown: str) -> None:
    page = open_page(door)
    with_probability(page, probability)

    give(page, SOUND)

    expect(page.get_by_role("article", name="one.jpg").locator(".scale-value")).to_have_text(f"{shown}\u00a0%")


WARNED = """{"status": "ok", "request_id": "r", "model": {"name": "m", "version": "1", "sha256": "0"},
 "pneumonia": {"probability": 0.97, "decision": "positive", "code": "233604007", "operating_point": {"name": "balanced", "threshold": 0.6,
  "indeterminate_from": 0.3, "indeterminate_to": 0.7, "sensitivity": 0.9, "specificity": 0.9}},
 "findings": [{"label": "viral pneumonia", "code": "75570004", "probability": 0.97},
  {"label": "normal", "code": "17621005", "probability": 0.03}],
 "most_probable": {"label": "viral pneumonia", "confidence": 1.0},
 "guard": {"verdict": "warn", "distance": 1.25, "warn_distance": 1.2, "threshold": 1.5,
  "reasons": ["unusual_picture", "a_code_of_tomorrow"]},
 "image": {"format": "dicom", "width_px": 72, "height_px": 96, "warnings": ["patient_is_adult"]},
 "explanation": null, "warnings": ["package_has_no_maps"], "timing_ms": {"decode": 1, "network": 2, "total": 3}, "notice": "N."}"""


def test_warnings_and_reasons_are_told_in_words_also_those_of_a_newer_service(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    page.route("**/predict?*", lambda route: route.fulfill(status=200, body=WARNED, content_type="application/json"))

    give(page, SOUND)

    article = page.get_by_role("article", name="one.jpg")
    for sentence in (
        "Unusual for this model. Take the result with care.",
        "It is more unusual than nearly all frontal chest X-rays that the model knows.",
        "A code of tomorrow.",
        "Distance to the chest X-rays that it knows 1.25: a warning comes above 1.20, a refusal above 1.50.",
        "The file says that the patient is an adult. The model knows pictures of children only.",
        "The model package gives no heat map.",
    ):
        expect(article.get_by_text(sentence)).to_be_visible()
    expect(article.get_by_role("slider", name="Heat map")).to_have_count(0)
    expect(article.get_by_text("DICOM, 72 × 96 pixels")).to_be_visible()


def test_operating_point_that_nobody_measured_says_so(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(packages.unmeasured(tmp_path))}))

    give(page, SOUND)

    expect(page.locator("#point-says")).to_have_text("Not measured")
    expect(page.get_by_role("article").get_by_text("Nobody has measured what this operating point gives.").first).to_be_visible()
