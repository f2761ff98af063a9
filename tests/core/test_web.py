"""The view of a picture for the page, and what the page is made of."""

import base64
import hashlib
import io
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from core import guard, pages
from core.bootstrap import bootstrap
from core.contract import Response
from tests.support.pictures import chest, encode
from tests.support.requests import get, post

SOURCES = Path(pages.__file__).parent / "static" / "page"
MOST_BYTES = 150_000
HTML = pages.web().html.decode()


def preview(data: bytes) -> Response:
    return bootstrap({}).handle(msgspec.structs.replace(post(data), path="/preview"))


def opened(response: Response) -> Image.Image:
    assert (response.status, response.headers["Content-Type"]) == (200, "image/png")
    return Image.open(io.BytesIO(response.body))


@pytest.mark.parametrize("mode", ["L", "I;16", "F"])
def test_preview_is_the_decoded_picture(mode: str) -> None:
    grey = chest()
    shown = opened(preview(encode(grey, "TIFF") if mode == "L" else deeper(grey, mode)))

    assert (shown.mode, shown.size) == ("L", (grey.shape[1], grey.shape[0]))
    assert np.abs(np.asarray(shown).astype(float) - grey).max() <= 1.0


def deeper(grey: npt.NDArray[np.uint8], mode: str) -> bytes:
    stream = io.BytesIO()
    values = grey.astype(np.uint16) * 257 if mode == "I;16" else (grey - grey.min()) / np.float32(grey.max() - grey.min())
    Image.fromarray(values).save(stream, "TIFF")
    return stream.getvalue()


def test_preview_of_a_large_picture_is_bounded() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (3000, 2000), dtype=np.uint8)
    answer = preview(encode(noise, "PNG"))

    assert opened(answer).size == (683, 1024)
    assert len(answer.body) < 1_000_000


def test_preview_needs_no_model() -> None:
    asked = msgspec.structs.replace(post(encode(chest(), "PNG")), path="/preview")
    assert bootstrap({"PNEUMONIA_MODEL": "nowhere"}).handle(asked).status == 200


def test_page_is_small_and_whole() -> None:
    assert len(HTML.encode()) < MOST_BYTES
    assert "include:" not in HTML
    assert re.findall(r"^(?:import|export) ", HTML, re.MULTILINE) == []


def test_every_source_is_in_the_page() -> None:
    named = set(re.findall(r"include: (\S+)", (SOURCES / "shell.html").read_text("utf-8")))
    assert named == {path.name for path in SOURCES.iterdir()} - {"shell.html", "package.json"}


def test_page_asks_nobody_else_for_anything() -> None:
    code = re.sub(r"/\*\*.*?\*/", "", HTML, flags=re.DOTALL)  # JSDoc names types by `import`
    outside = re.findall(r"""(?:src|href|action|poster|srcset)=["']?(?:https?:)?//|url\((?!["']?(?:data:|#))|@import|\bimport\(""", code)
    assert outside == []


def test_page_has_nothing_that_its_policy_forbids() -> None:
    assert re.findall(r"<[^>]+\s(?:on\w+|style)=", HTML) == []
    assert re.findall(r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval)\b|new Function", HTML) == []


def test_page_keeps_nothing_in_the_browser() -> None:
    assert re.findall(r"localStorage|sessionStorage|indexedDB|document\.cookie|serviceWorker", HTML) == []


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_policy_names_the_inline_parts_by_their_hashes(path: str) -> None:
    answer = bootstrap({}).handle(get(path))
    policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))

    for element in ("script", "style"):
        content = re.findall(rf"<{element}[^>]*>(.*?)</{element}>", answer.body.decode(), re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in content]
        assert policy[f"{element}-src"] == " ".join(f"'sha256-{digest}'" for digest in digests)
    assert (policy["default-src"], policy["img-src"], policy["connect-src"]) == ("'none'", "'self' blob: data:", "'self'")
    assert "unsafe" not in str(policy)


def test_page_and_terminal_give_a_reason_of_the_guard_in_the_same_words() -> None:
    of_page = dict(re.findall(r'^  (\w+): "(.*)",$', (SOURCES / "words.js").read_text("utf-8"), re.MULTILINE))
    of_core = {code: f"{sentence[0].upper()}{sentence[1:]}." for code, (_, sentence) in guard.REASONS.items()}

    assert {code: of_page.get(code) for code in of_core} == of_core


def test_imports_name_what_is_there() -> None:
    """The page is one module and has no imports: one that names nothing would go unseen, and break the file for who reads it."""
    for path in SOURCES.glob("*.js"):
        for names, source in re.findall(r'^import \{ ([^}]+) \} from "\./([\w.-]+)";$', path.read_text("utf-8"), re.MULTILINE):
            exported = re.findall(r"^export (?:async )?(?:function|class|const) (\w+)", (SOURCES / source).read_text("utf-8"), re.MULTILINE)
            assert set(names.split(", ")) <= set(exported), path.name


@pytest.mark.parametrize("name", [*(path.name for path in sorted(SOURCES.glob("*.js"))), "the whole"])
def test_scripts_can_be_parsed(tmp_path: Path, name: str) -> None:
    if shutil.which("node") is None:
        pytest.skip("needs Node.js: apt-get install nodejs")
    path = SOURCES / name
    if name == "the whole":
        path = tmp_path / "page.mjs"
        path.write_text(re.findall(r"<script[^>]*>(.*?)</script>", HTML, re.DOTALL)[-1])
    subprocess.run(["node", "--check", path], check=True, capture_output=True, text=True)


def test_comments_stay_at_home() -> None:
    script = HTML.partition('<script type="module">')[2]

    assert re.findall(r"^ *(?://|/\*\*).*", script, re.MULTILINE) == []
    assert "http://www.w3.org/2000/svg" in script  # what looks like a comment within a line stays
