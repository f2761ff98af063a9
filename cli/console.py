"""What the commands that need Keras show on standard error: what training says, and nothing of TensorFlow's greeting."""

import logging
import os

from core.quiet import quiet_native_code

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


def show_training() -> None:
    """Show what training says on standard error. To be called before anything imports Keras.

    Most of TensorFlow's greeting knows no level: it is written while Keras is imported, and so is kept off there. Who sets
    TF_CPP_MIN_LOG_LEVEL gets all that they ask for, but for what the converter says.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("tensorflow").setLevel(logging.WARNING)  # it tells of every temporary folder
    logging.getLogger("jax").setLevel(logging.WARNING)  # and it of each accelerator that is not there
    if _LEVEL in os.environ:
        return
    os.environ[_LEVEL] = "1"  # warnings and errors, no notes
    with quiet_native_code():
        import keras  # noqa: F401
