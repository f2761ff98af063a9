"""The peer: what most tutorials write to serve a Keras model. Load at import, decode with Pillow, `model.predict`, `jsonify`.

    python -m benchmarks.peer_keras --build FILE.keras      makes the network (needs the training extra)
    python -m benchmarks.peer_keras --port PORT FILE.keras  serves it

It does less than our doors: no checks of its input, no calibration, no heat map outputs, no log line. Flask's own server starts it, which
is ready sooner than gunicorn; only the network's file name comes from outside.
"""

import argparse
import io
import sys
from pathlib import Path

LABELS = ("normal", "bacterial pneumonia", "viral pneumonia")


def build(file: Path) -> None:
    """Save the network that we serve, with random weights: they do not change the time."""
    import keras

    from training import networks

    model = networks.build("mobilenetv2", "none", len(LABELS))
    keras.Model(model.input, keras.layers.Softmax()(model.output)).save(file)


def serve(file: Path, port: int) -> None:
    """Serve POST /predict."""
    import keras
    import numpy as np
    from flask import Flask, Response, jsonify, request
    from PIL import Image

    model = keras.models.load_model(file, compile=False)
    height_px, width_px = model.input_shape[1:3]
    app = Flask(__name__)

    @app.post("/predict")
    def predict() -> Response:
        image = Image.open(io.BytesIO(request.get_data())).convert("L").resize((width_px, height_px), Image.Resampling.BILINEAR)
        values = np.asarray(image, dtype=np.float32)[np.newaxis, :, :, np.newaxis] / 127.5 - 1.0
        probabilities = model.predict(values, verbose=0)[0]
        best = int(probabilities.argmax())
        return jsonify(label=LABELS[best], probabilities=dict(zip(LABELS, map(float, probabilities), strict=True)))

    app.run("127.0.0.1", port)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peer_keras", description="A plain Flask and Keras server.")
    parser.add_argument("file", type=Path, help="the network as a .keras file")
    parser.add_argument("--port", type=int, default=8081, help="port to listen on (default: %(default)s)")
    parser.add_argument("--build", action="store_true", help="make the file instead of serving it")
    arguments = parser.parse_args()
    if arguments.build:
        build(arguments.file)
    else:
        serve(arguments.file, arguments.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
