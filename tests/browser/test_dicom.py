"""DICOM files in the page: read, shown as the service reads them, with the heat map over them; and what is refused or told."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

pytest.importorskip("pydicom", reason="needs the extra dicom: pip install '.[dicom]'")

from core import phantom
from tests.browser.conftest import Open, check_accessibility, shoot
from tests.browser.given import SOUND, give, payload, row, saved, wait_until_read
from tests.browser.test_viewer import shown
from tests.contract.doors import HttpDoor
from tests.support import dicoms

GREY = np.asarray(Image.open(io.BytesIO(phantom.jpeg())).convert("L").resize((480, 400)))  # wider than high, as chests are
INVERTED = dicoms.file(4095 - dicoms.deep(GREY, 12), 12, PhotometricInterpretation="MONOCHROME1")
NAME = "IM000001"  # as archives name them: no ending


@pytest.mark.parametrize("width", [360, 820, 1440])
def test_dicom_file_is_read_and_shown_with_its_heat_map_over_it(open_page: Open, door: HttpDoor, width: int) -> None:
    page = open_page(door, expected="willReadFrequently", viewport={"width": width, "height": 900}, reduced_motion="reduce")

    give(page, payload(NAME, INVERTED))
    wait_until_read(page)

    article = page.get_by_role("article", name=NAME)
    expect(article.get_by_text("Pneumonia unlikely")).to_be_visible()
    expect(article.get_by_text("DICOM, 480 × 400 pixels")).to_be_visible()
    picture = shown(page)
    assert picture.shape == GREY.shape
    assert np.abs(picture - GREY).mean() < 1.5
    map_, canvas = article.get_by_role("img", name=re.compile("^Heat map")), article.get_by_role("img", name=re.compile("^Picture"))
    assert map_.bounding_box() == canvas.bounding_box()
    assert map_.evaluate("img => [img.naturalWidth, img.naturalHeight]") == [480, 400]
    check_accessibility(page)
    shoot(page, f"dicom-{width}")


def test_what_the_header_says_of_the_picture_is_told_in_words(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    told = dicoms.file(GREY, BurnedInAnnotation="YES", PatientAge="081Y", ViewPosition=None, PatientName="HIDDEN^NAME")

    give(page, payload(NAME, told))
    wait_until_read(page)

    article = page.get_by_role("article")
    for sentence in (
        "The file says that text is written into the picture. It may name the patient.",
        "The file says that the patient is an adult. The model knows pictures of children only.",
        "The file does not say that this is a frontal view.",
    ):
        expect(article.get_by_text(sentence)).to_be_visible()
    assert "HIDDEN" not in page.content() + saved(page, "JSON") + saved(page, "CSV")


def test_dicom_file_of_something_else_is_refused_with_the_reason_and_spoils_nothing(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)

    give(page, payload("hand.dcm", dicoms.file(GREY, BodyPartExamined="HAND")), payload("ct.dcm", dicoms.file(GREY, Modality="CT")), SOUND)
    wait_until_read(page)

    article = page.get_by_role("article", name="hand.dcm")
    expect(article.get_by_text("Expected a radiograph of the chest. Received: one of another part of the body.")).to_be_visible()
    expect(article.get_by_text("not_a_chest")).to_be_visible()
    page.get_by_role("button", name="ct.dcm").click()
    expect(page.get_by_role("article", name="ct.dcm").get_by_text("not_a_radiograph")).to_be_visible()
    assert "unlikely" in row(page, "one.jpg")


def test_dicom_is_compared_with_a_jpeg_of_the_same_chest(open_page: Open, door: HttpDoor) -> None:
    page = open_page(door)
    give(page, payload(NAME, INVERTED), SOUND)
    wait_until_read(page)

    page.get_by_role("checkbox", name=f"Compare {NAME}").check()
    page.get_by_role("checkbox", name="Compare one.jpg").check()

    expect(page.get_by_role("article").get_by_role("img", name=re.compile("^Heat map"))).to_have_count(2)
    shoot(page, "dicom-compare")
