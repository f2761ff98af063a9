"""Imports once what a retraining needs, then forks a worker for every command line that it reads: importing takes longer than working.

Answers each line with the worker's process id, and with how it ended once it did.
"""

import os
import sys

import tensorflow as tf  # noqa: F401

from cli.main import main
from training import retrain  # noqa: F401


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


say("ready")
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a worker says is no answer of ours
        code = 70
        try:
            code = main(line.split())
        finally:
            os._exit(code)
    say(pid)
    say(os.waitpid(pid, 0)[1])
