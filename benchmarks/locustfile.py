"""Callers of a deployment for Locust: chest X-rays of the sizes that come from children's and adults' machines, one after the other.

    locust -f benchmarks/locustfile.py --host https://… --users 8 --spawn-rate 8

A caller posts a picture, reads the answer for about a second, and posts the next. Keys come from the environment, as for `pneumonia smoke`.
docs/load.md says how to read what Locust shows; `python -m benchmarks.load` runs it in steps and draws the plots.
"""

import os
import random
from typing import Any, Final

import gevent
from locust import HttpUser, between, task

from benchmarks import pictures

# Megapixels: thumbnail, small export, the public chest X-rays of children (1.1 in the middle, 1.8 on average), an adult's digital detector.
SIDES_PX: Final = {"0.06 MP": 250, "0.5 MP": 707, "1.1 MP": 1049, "1.8 MP": 1342, "4 MP": 2000, "7 MP": 2646}
SHARES: Final = (5, 10, 35, 35, 10, 5)
"""Of a hundred pictures, in the order of SIDES_PX."""
_SECRETS: Final = (
    ("PNEUMONIA_API_KEY", "X-API-Key", "{}"),
    ("AZURE_FUNCTIONS_KEY", "x-functions-key", "{}"),
    ("GOOGLE_IDENTITY_TOKEN", "Authorization", "Bearer {}"),
)
FILES: Final = {name: pictures.draw(seed, side) for seed, (name, side) in enumerate(SIDES_PX.items())}
# Drawing took seconds in which gevent's clock stood still: --run-time would count from before.
gevent.get_hub().loop.update_now()


class Caller(HttpUser):
    """Somebody who looks at each answer before the next picture."""

    wait_time = between(0.5, 1.5)

    def on_start(self) -> None:
        """Take the secrets of the environment along."""
        self.client.headers.update({header: form.format(os.environ[name]) for name, header, form in _SECRETS if os.environ.get(name)})

    @task(18)
    def predict(self) -> None:
        """Post one picture."""
        self._post("predict", {})

    @task(2)
    def explain(self) -> None:
        """Post one picture and ask for a heat map: one in ten."""
        self._post("heat map", {"explain": "heatmap"})

    def _post(self, what: str, query: dict[str, str]) -> None:
        name = random.choices(list(FILES), SHARES)[0]
        headers = {"Content-Type": "image/jpeg"}
        posted: Any = self.client.post("/predict", FILES[name], params=query, headers=headers, name=f"{what} {name}", catch_response=True)
        with posted as answer:
            if answer.status_code != 200:
                answer.failure(f"{answer.status_code} {answer.text[:100]}")
            elif answer.json().get("status") != "ok":
                answer.failure("no prediction")
