"""Uploads in the page: a request a picture, an outcome each, and what breaks off goes on."""

from playwright.sync_api import Page, Route, expect

from core import phantom
from tests.browser.conftest import Open, check_accessibility, shoot
from tests.browser.managing import Ground, unlocked
from tests.contract.guard_cases import blank
from tests.support import dicoms


def jpeg(seed: int) -> bytes:
    return phantom.jpeg() + bytes([seed])  # what stands behind a JPEG's end makes another file of the same picture


def choose(page: Page, label: str, files: dict[str, bytes]) -> None:
    page.get_by_label("What they show").select_option(label)
    given = [{"name": name, "mimeType": "image/jpeg", "buffer": data} for name, data in files.items()]
    page.locator("#manage-files").set_input_files(given)  # type: ignore[arg-type]


def rows(page: Page) -> list[list[str]]:
    return [row.locator("td").all_inner_texts() for row in page.locator("#manage-upload-rows tr").all()]


def test_pictures_are_uploaded_one_by_one_each_with_its_outcome(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    expect(page.get_by_label("What they show").locator("option")).to_have_text(
        ["Choose…", "normal", "bacterial pneumonia", "viral pneumonia", "fungal pneumonia"]
    )
    choose(page, "normal", {"first.jpg": jpeg(1)})
    page.get_by_role("button", name="Upload 1 picture").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("1 of 1 picture: 1 stored.")

    files = {
        "new.jpg": jpeg(2),
        "first.jpg": jpeg(1),
        "notes.jpg": b"no picture",
        "large.jpg": bytes(2**20 + 1),
        "<b>bold</b>.jpg": jpeg(3),
    }
    choose(page, "fungal pneumonia", files)
    page.get_by_role("button", name="Upload 5 pictures").click()

    expect(page.locator("#manage-upload-sum")).to_have_text("5 of 5 pictures: 2 stored, 1 stored under another label, 2 refused.")
    expect(page.locator("#live")).to_contain_text("The upload is done: 5 of 5 pictures")
    assert [row[:2] for row in rows(page)] == [
        ["new.jpg", "stored"],
        ["first.jpg", "not stored"],
        ["notes.jpg", "refused"],
        ["large.jpg", "refused"],
        ["<b>bold</b>.jpg", "stored"],
    ]
    assert "label_conflict" in rows(page)[1][2]
    assert "not_a_picture" in rows(page)[2][2]
    assert "body_too_large" in rows(page)[3][2]
    assert len([key for key in ground.store.keys("uploads/") if key.endswith(".json")]) == 3
    check_accessibility(page)
    shoot(page, "manage-uploaded")

    choose(page, "normal", {"first.jpg": jpeg(1)})
    page.get_by_role("button", name="Upload 1 picture").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("1 of 1 picture: 1 there already.")


def test_an_upload_without_label_or_pictures_says_what_is_missing(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#manage-upload-problem")).to_have_text("Choose what the pictures show first.")
    expect(page.get_by_label("What they show")).to_be_focused()
    page.get_by_label("What they show").select_option("normal")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#manage-upload-problem")).to_have_text("Choose pictures first.")


def test_an_upload_that_breaks_off_can_be_gone_on_with(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    seen = 0

    def break_second(route: Route) -> None:
        nonlocal seen
        seen += 1
        route.abort() if seen == 2 else route.continue_()

    page.route("**/upload-data*", break_second)
    choose(page, "normal", {f"{number}.jpg": jpeg(number) for number in range(3)})
    page.get_by_role("button", name="Upload 3 pictures").click()

    expect(page.get_by_text("The service does not answer.")).to_be_visible()
    expect(page.get_by_text("2 pictures are left.")).to_be_visible()
    page.get_by_role("button", name="Go on with 2 pictures").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("2 of 2 pictures: 2 stored.")


def test_an_upload_can_be_stopped_and_gone_on_with(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    held: list[Route] = []
    page.route("**/upload-data*", lambda route: held.append(route) if not held and rows(page) else route.continue_())
    choose(page, "normal", {f"{number}.jpg": jpeg(number) for number in range(3)})
    page.get_by_role("button", name="Upload 3 pictures").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("1 of 3 pictures: 1 stored.")
    page.get_by_role("button", name="Stop").click()

    expect(page.get_by_text("2 pictures are left.")).to_be_visible()
    expect(page.locator("#live")).to_contain_text("The upload has stopped")
    page.get_by_role("button", name="Go on with 2 pictures").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("2 of 2 pictures: 2 stored.")


def test_a_token_that_is_changed_meanwhile_locks_the_tab(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    problem = '{"status": 401, "code": "admin_unauthorized", "detail": "Expected the admin token. Received: a wrong one."}'
    page.route("**/upload-data*", lambda route: route.fulfill(status=401, body=problem))
    choose(page, "normal", {"a.jpg": jpeg(1)})
    page.get_by_role("button", name="Upload 1 picture").click()

    expect(page.get_by_text("The token is not accepted any more.")).to_be_visible()
    expect(page.locator("#manage-open")).to_be_hidden()


def test_of_a_dicom_file_the_picture_alone_is_kept_and_text_in_it_is_refused(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    grey = phantom.chest(3)
    expect(page.get_by_text("Of a DICOM file the picture alone is kept, as PNG without its header")).to_be_visible()
    choose(page, "normal", {"sound": dicoms.file(grey, PatientName="HIDDEN"), "named": dicoms.file(grey, BurnedInAnnotation="YES")})

    page.get_by_role("button", name="Upload 2 pictures").click()

    expect(page.locator("#manage-upload-sum")).to_have_text("2 of 2 pictures: 1 stored, 1 refused.")
    assert rows(page)[0][:2] == ["sound", "stored"]
    assert "burned_in_annotation" in rows(page)[1][2]
    kept = [ground.store.get(key) for key in ground.store.keys("uploads/") if key.endswith(".png")]
    assert [data is not None and data.startswith(b"\x89PNG") and b"HIDDEN" not in data for data in kept] == [True]


def test_what_the_guard_refuses_is_kept_only_where_somebody_has_looked_at_it(open_page: Open, ground: Ground) -> None:
    page = unlocked(open_page, ground.door)
    choose(page, "normal", {"wall.png": blank()})
    page.get_by_role("button", name="Upload 1 picture").click()
    expect(page.locator("#manage-upload-sum")).to_have_text("1 of 1 picture: 1 refused.")
    assert "it is all of one grey" in rows(page)[0][2]

    page.get_by_label("Keep also what the guard refuses").check()
    choose(page, "normal", {"wall.png": blank()})
    page.get_by_role("button", name="Upload 1 picture").click()

    expect(page.locator("#manage-upload-sum")).to_have_text("1 of 1 picture: 1 stored.")
    assert "The guard: " in rows(page)[0][2]
    assert "It is all of one grey." in rows(page)[0][2]
    check_accessibility(page)
    shoot(page, "manage-guard")
