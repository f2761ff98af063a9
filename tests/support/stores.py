"""`create` and `put` by many processes at once: what each of them runs, as `python -m tests.support.stores URL WHO MANY`."""

import sys

from core.store import open_store


def main(url: str, who: str, many: int) -> None:
    """Try to be the one who creates each of many objects; print the numbers of those that this process was told it wrote."""
    store = open_store(url)
    store.get("contested/none")  # everything is imported and connected before the start
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    won = [number for number in range(many) if store.create(f"contested/{number:04d}", f"{who}:{number}\n".encode() * 2000)]
    sys.stdout.write(" ".join(map(str, won)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
