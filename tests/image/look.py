"""Look around in a container and print as JSON what is there: arguments are the folder of the packages and the modules to look for.

Run there by `python -c`; it knows nothing of this project.
"""

import importlib.util
import json
import os
import shutil
import stat
import sys
from pathlib import Path

_, folder, *modules = sys.argv
packages = Path(folder)
sources = list(packages.rglob("*.py"))


def is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of its parent
        return False


def special() -> list[str]:
    """Files that run as their owner or group."""
    system = ("/proc", "/sys", "/dev")
    paths = [f"{place}/{name}" for place, _, names in os.walk("/") if not place.startswith(system) for name in names]
    return sorted(path for path in paths if os.lstat(path).st_mode & (stat.S_ISUID | stat.S_ISGID))


leftovers = ("/etc/pip.conf", "/build", "/packages", "/project", *(f"{home}/.cache" for home in ("/home", "/root")))
found = {
    "python": sys.version.split()[0],
    "modules": [module for module in modules if is_there(module)],
    "special": special(),
    "compilers": [name for name in ("gcc", "cc", "g++", "clang", "make", "ld", "rustc") if shutil.which(name)],
    "sources": len(sources),
    "uncompiled": [str(path) for path in sources if not Path(importlib.util.cache_from_source(str(path))).exists()],
    "tests": [str(path) for path in packages.rglob("tests") if path.is_dir()],
    "left": [path for path in leftovers if Path(path).exists()],
    "root": sorted(path.name for path in packages.parents[2].glob("*")),
}
sys.stdout.write(json.dumps(found))
