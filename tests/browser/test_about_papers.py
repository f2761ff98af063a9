"""What a package says in the page: it goes in as text, and its drawings can do nothing."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.about import drawn, opened
from tests.browser.conftest import Open, Serve, check_accessibility
from tests.support import packages

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
