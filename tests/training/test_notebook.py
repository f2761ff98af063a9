"""The notebook runs from its first cell to its last, and stands in git without what it printed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.train

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs/notebook/first-model.ipynb"
# In a process of its own: the client leaves sockets and an event loop behind, of which this one would be told.
EXECUTE = """
import sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""


def code_cells(path: Path) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_bytes())["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_holds_no_output() -> None:
    assert [(cell["execution_count"], cell["outputs"]) for cell in code_cells(NOTEBOOK) if cell["execution_count"] or cell["outputs"]] == []


def test_the_notebook_runs_to_its_end(tmp_path: Path) -> None:
    own = {name: str(tmp_path / name) for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "TMPDIR")}
    for folder in own.values():
        Path(folder).mkdir()
    done = tmp_path / "done.ipynb"

    ran = subprocess.run(
        [sys.executable, "-c", EXECUTE, NOTEBOOK, done],
        cwd=tmp_path,
        env={**os.environ, **own, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr[-3000:]
    printed = "".join("".join(output.get("text", "")) for cell in code_cells(done) for output in cell["outputs"])
    assert "36 pictures of 36 patients" in printed
    assert "balanced" in printed
    assert "DECISION" in printed
    assert [path.name for path in (tmp_path / "TMPDIR").iterdir() if (path / "data").exists()] == []
