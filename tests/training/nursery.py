"""Imports once what the lab needs, then forks a worker for every command that it reads: importing takes longer than working.

A line is JSON: the command, the folder to run it in, what to add to the environment, and the file that gets what the worker says. Answers
each line with the worker's process id, and with how it ended once it did.
"""

import json
import os
import sys
import traceback
from typing import Any

import tensorflow as tf  # noqa: F401

from cli.main import main
from training import explore, export, foreign, guarding, outputs, recalibrated, reports, retrain  # noqa: F401


def say(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def work(asked: dict[str, Any]) -> int:
    os.chdir(asked["folder"])
    os.environ.update(asked["environ"])
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())  # what a worker says is no answer of ours
    return main(asked["command"])


say("ready")
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = work(json.loads(line))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    say(pid)
    say(os.waitpid(pid, 0)[1])
