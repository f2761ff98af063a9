"""The tab on the model: status in words, figures, card and data page; what a package says goes in as text and can do nothing."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, Serve, check_accessibility, shoot
from tests.support import living, packages

WIDTHS = (360, 820, 1440)
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 200" width="400" height="200"><rect width="400" height="200" fill="#fff"/>'
    '<text x="20" y="100">drawn</text><script>document.title = "script ran"</script><image href="https://example.org/a.png"/></svg>'
)
CARD = """# tiny 1.0.0

**Research use.** Said by `manifest.json` & <b>not markup</b>.

## Caveats

- One [link](https://example.org/paper), one [trap](javascript:alert(1)).
- Two
  lines.

## Figures & tables

| figure | value (95 % CI) |
| --- | --- |
| AUROC \\| area | 0.9960 (0.9922 to 0.9987) |
| <img src=x onerror=alert(1)> | 0.1 |

### Deeper

![ROC curve: sensitivity over 1 - specificity](report/roc.svg)

![X-rays of patients](report/missed.png)

```
code <stays>
```
"""
DATA = "# The data\n\nWhat is in it.\n\n## Classes\n\n12 pictures of 9 patients.\n\n![Pictures of each kind](data-classes.svg)\n"


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with a card that would like to be markup, drawings that would like to run, and a picture of a patient."""
    folder = packages.copy(tmp_path_factory.mktemp("described"))
    (folder / "report").mkdir()
    (folder / "CARD.md").write_text(CARD)
    (folder / "report/data.md").write_text(DATA)
    (folder / "report/missed.png").write_bytes(b"a patient")
    for name in ("roc", "training", "confusion", "data-classes"):
        (folder / f"report/{name}.svg").write_text(DRAWING)
    shutil.copyfile(packages.baked() / "history.csv", folder / "history.csv")
    packages.sign(folder)
    return folder


def opened(open_page: Open, serve: Serve, folder: Path, **context: Any) -> Page:
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(folder)}), "/#about", **context)
    expect(page.get_by_role("heading", name="Operating points")).to_be_visible()
    return page


def drawn(page: Page, inside: str) -> int:
    """Wait until the images in an element are there; return how many."""
    page.wait_for_function(
        "inside => [...document.querySelectorAll(`${inside} img`)].every(image => image.complete && image.naturalWidth > 0)", arg=inside
    )
    return page.locator(f"{inside} img").count()


def test_status_and_model_are_told_in_words(open_page: Open, serve: Serve) -> None:
    page = open_page(serve(), "/#about")

    now, what = page.locator("#about-now"), page.locator("#about-what")
    expect(now).to_contain_text(f"pneumonia-mobilenetv2 {packages.version()}, since")
    expect(now).to_contain_text("it came with the installation; nothing was promoted")
    expect(now).to_contain_text("up for less than a minute")
    expect(what).to_contain_text("Measured on 784 pictures of 560 patients: test patients")
    expect(what).to_contain_text("0.996")
    expect(page.locator("#about-limits li").first).to_contain_text("Trained on children")
    row = page.locator("#about-points tbody tr", has_text="balanced")
    expect(row).to_contain_text("(default)")
    expect(row).to_contain_text("(95.3 to 98.3)")


def test_the_baked_models_figures_and_card_are_shown(open_page: Open, serve: Serve) -> None:
    page = open_page(serve(), "/#about")
    expect(page.locator("#about-figures figcaption").first).to_contain_text("ROC curve")

    assert drawn(page, "#about-figures") == 8
    expect(page.locator("#about-figures")).to_contain_text("Confusion matrix")
    expect(page.locator("#about-figures")).to_contain_text("Training curves")
    page.get_by_text("Read the card").click()
    expect(page.locator("#about-card").get_by_role("heading", name="Quantitative analysis", level=3)).to_be_visible()
    assert drawn(page, "#about-card") == 8
    assert page.locator("#about-card table").count() >= 8
    check_accessibility(page)


def test_what_the_package_says_stays_text(open_page: Open, serve: Serve, described: Path) -> None:
    page = opened(open_page, serve, described)
    page.get_by_text("Read the card").click()
    card = page.locator("#about-card")

    expect(card).to_contain_text("manifest.json & <b>not markup</b>")
    expect(card).to_contain_text("<img src=x onerror=alert(1)>")
    expect(card).to_contain_text("AUROC | area")
    expect(card.locator("pre")).to_have_text("code <stays>")
    expect(card.locator("li")).to_have_count(2)
    expect(card.locator("li").nth(1)).to_have_text("Two lines.")
    assert [link.get_attribute("href") for link in card.locator("a").all()] == ["https://example.org/paper"]
    expect(card).to_contain_text("trap (javascript:alert(1))")
    expect(card.locator("b")).to_have_count(0)
    expect(card.get_by_role("heading", name="Deeper", level=4)).to_be_visible()
    check_accessibility(page)


def test_drawings_run_nothing_and_reach_nowhere(open_page: Open, serve: Serve, described: Path) -> None:
    asked: list[str] = []
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(described)}), "/#manage")
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("tab", name="Model").click()
    expect(page.locator("#about-figures img")).to_have_count(3)
    drawn(page, "#about-figures")

    assert page.title() == "Pneumonia Functions"
    assert [url for url in asked if "example.org" in url] == []
    alone = open_page(
        serve("google", {"PNEUMONIA_MODEL": str(described)}), "/model/report/roc.svg", expected="Content Security Policy|sandbox"
    )
    assert alone.title() != "script ran"


def test_a_picture_of_a_patient_is_not_shown_and_that_is_said(open_page: Open, serve: Serve, described: Path) -> None:
    page = opened(open_page, serve, described)
    page.get_by_text("Read the card").click()

    expect(page.locator("#about-card")).to_contain_text("Not shown here: X-rays of patients.")


def test_the_page_on_the_data_is_shown_with_its_figures(open_page: Open, serve: Serve, described: Path) -> None:
    page = opened(open_page, serve, described)
    page.get_by_text("Look at the data").click()

    expect(page.locator("#about-data")).to_contain_text("12 pictures of 9 patients.")
    expect(page.locator("#about-data").get_by_role("img", name="Pictures of each kind")).to_be_visible()
    assert drawn(page, "#about-data") == 1
    expect(page.locator("#about-figures img")).to_have_count(3)  # the figures of the data stay with the data


def test_a_figure_opens_large_and_closes_by_keyboard(open_page: Open, serve: Serve, described: Path) -> None:
    page = opened(open_page, serve, described)
    figure = page.get_by_role("button", name="ROC curve")
    figure.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("dialog", name="ROC curve")).to_be_visible()
    check_accessibility(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(figure).to_be_focused()


def test_behind_function_keys_figures_and_card_come_with_the_key(open_page: Open, serve: Serve) -> None:
    page = open_page(serve("azure", {}, "--enable-auth", "--key", "a-function-key"), "/#about")
    page.get_by_role("dialog").get_by_role("textbox").fill("a-function-key")
    page.keyboard.press("Enter")
    expect(page.locator("#about-figures img")).to_have_count(8)
    drawn(page, "#about-figures")
    page.get_by_text("Read the card").click()

    expect(page.locator("#about-card").get_by_role("heading", name="Intended use")).to_be_visible()


def test_a_package_without_papers_says_how_to_get_them(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    page = opened(open_page, serve, packages.copy(tmp_path))

    expect(page.locator("#about-figures")).to_contain_text("pneumonia export PACKAGE --evaluation FILE")
    expect(page.locator("#about-data")).to_contain_text("pneumonia export PACKAGE --data DATASET")
    expect(page.locator("#about-card")).to_contain_text("This package has no card.")


def test_unmeasured_points_say_so(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    page = opened(open_page, serve, packages.unmeasured(tmp_path))

    expect(page.locator("#about-points")).to_contain_text("not measured")
    check_accessibility(page)


def test_without_a_model_the_reason_is_told(open_page: Open, serve: Serve) -> None:
    page = open_page(serve("google", {"PNEUMONIA_MODEL": "nowhere"}), "/#about")

    expect(page.locator("#about-now")).to_contain_text("No model serves.")
    expect(page.locator("#about-now")).to_contain_text("nowhere")
    expect(page.locator("#about-what")).to_contain_text("model_unavailable")
    expect(page.locator("#about-rest")).to_be_hidden()
    check_accessibility(page)


def test_a_figure_that_changed_since_is_refused_in_its_place(open_page: Open, serve: Serve, described: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(described, tmp_path / "changed")
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(folder)}), "/")
    (folder / "report/roc.svg").write_text(DRAWING + " ")
    page.get_by_role("tab", name="Model").click()

    expect(page.locator("#about-figures .problem")).to_have_count(1)
    expect(page.locator("#about-figures .problem")).to_contain_text("model_unavailable")
    expect(page.locator("#about-figures img")).to_have_count(2)


def test_a_service_that_is_gone_is_said(open_page: Open, serve: Serve, described: Path) -> None:
    page = open_page(serve("google", {"PNEUMONIA_MODEL": str(described)}), "/")
    for path in ("status", "model"):
        page.route(f"**/{path}", lambda route: route.abort())
    page.get_by_role("tab", name="Model").click()

    expect(page.locator("#about-now")).to_contain_text("The service does not answer.")
    check_accessibility(page)


def test_promotion_retraining_and_reload_error_are_told(open_page: Open, serve: Serve, tmp_path: Path) -> None:
    store = living.open_folder(tmp_path / "store")
    living.promote(store, living.push(store, tmp_path, "9.0.0", 2.0))
    job = tmp_path / "store/jobs/00000001"
    (job / "events").mkdir(parents=True)
    (job / "request.json").write_text('{"at": 1795000000.0, "request_id": "r"}')
    (job / "events/0001.json").write_text(
        '{"kind": "done", "at": 1795000100.0, "progress": 1.0, "outcome": {"result": "promoted", "version": "9.0.0"}}'
    )
    door = serve("google", {"PNEUMONIA_STORE": (tmp_path / "store").as_uri(), "PNEUMONIA_REFRESH_S": "1"})
    page = open_page(door, "/#about")
    expect(page.locator("#about-now")).to_contain_text("9.0.0, since")
    expect(page.locator("#about-now")).to_contain_text("9.0.0 was promoted")

    broken = living.damage_version(store, tmp_path / "broken", "6.6.6")
    living.promote(store, broken)

    def told() -> bool:
        page.get_by_role("tab", name="Read").click()
        page.get_by_role("tab", name="Model").click()
        page.wait_for_load_state("networkidle")
        return "The last look for a newly promoted model failed" in page.locator("#about-now").inner_text()

    living.until(told)
    expect(page.locator("#about-now")).to_contain_text("9.0.0, since")
    check_accessibility(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_tab_fits_every_width(open_page: Open, serve: Serve, width: int, scheme: str) -> None:
    page = open_page(serve(), "/#about", viewport={"width": width, "height": 900}, color_scheme=scheme)
    expect(page.locator("#about-figures img")).to_have_count(8)
    drawn(page, "#about-figures")

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    check_accessibility(page)
    shoot(page, f"about-{width}-{scheme}")
