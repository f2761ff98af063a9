"""What `pneumonia smoke` asks of a live deployment.

The contract's own tests (`tests/contract`) break deployments to see every error; this asks only what leaves a deployment as it was. A test
holds the two together: what is not provoked here is listed there with its reason.
"""

from collections.abc import Callable, Mapping

from cli import smoke_bodies as bodies
from cli import smoke_judge as judge
from cli.endpoint import Ask, Endpoint, Unreachable
from cli.smoke_judge import Look, Result, Wanted

_WRONG = "a-wrong-secret-of-pneumonia-smoke"
_MANY = 10_001
"""Instances in a request, each empty: more than any deployment allows."""
_LOOKED_AT = ("/health/ready", "/status", "/model", "/openapi.json")
"""Pages whose content is looked at, not only their type."""
_MAY_BE_MISSING = ("no_store", "unknown_file")
"""What a sound deployment may be without."""


class Smoke:
    """One run: asks, judges, keeps the results and tells each as it comes."""

    def __init__(self, endpoint: Endpoint, picture: bytes, tell: Callable[[Result], None]) -> None:
        self.endpoint = endpoint
        self.picture = picture
        self.results: list[Result] = []
        self._tell = tell

    def check(self, name: str, ask: Ask, *wanted: Wanted, look: Look | None = None, secrets: Mapping[str, str] | None = None) -> bool:
        """Ask once and judge; return whether it was right."""
        asked = ask._replace(headers={**ask.headers, "X-Request-Id": judge.REQUEST_ID})
        try:
            answer = self.endpoint.ask(asked, secrets)
        except Unreachable as error:
            return self.keep(Result(name, wanted, "nothing", None, str(error)))
        return self.keep(Result(name, wanted, judge.describe(answer), answer.milliseconds, judge.judge(answer, wanted, look)))

    def keep(self, result: Result) -> bool:
        """Keep a result and tell it; return whether it was right."""
        self.results.append(result)
        self._tell(result)
        return result.fault is None


def run(smoke: Smoke) -> None:
    """Ask everything, from what must hold before anything else to what needs most."""
    if not smoke.check("is ready", Ask("GET", "/health/ready"), Wanted(200)):
        smoke.check("is alive", Ask("GET", "/health/live"), Wanted(200))
        return
    pages(smoke)
    predictions(smoke)
    refusals(smoke)
    shut_doors(smoke)


def pages(smoke: Smoke) -> None:
    """Ask for what only reads."""
    from core.routes import ROUTES  # not before: it brings the network's runtime, which `pneumonia --help` does not need
    from core.statuses import STATUS_OF

    for route in ROUTES:
        if route.method != "GET" or "{" in route.path or route.path in _LOOKED_AT or route.needs_admin:
            continue
        missing = (Wanted(STATUS_OF[error], error.code) for error in route.refusals if error.code in _MAY_BE_MISSING)
        smoke.check(f"gets {route.path}", Ask("GET", route.path), Wanted(200), *missing, look=judge.has_type(route.media_type))
    smoke.check("answers HEAD without a body", Ask("HEAD", "/health/live"), Wanted(200), look=judge.is_empty)
    smoke.check("gets /status of a sound instance", Ask("GET", "/status"), Wanted(200), look=judge.is_sound)
    routes = judge.has_routes((route.path, route.method.lower()) for route in ROUTES)
    smoke.check("gets /openapi.json with every route", Ask("GET", "/openapi.json"), Wanted(200), look=routes)


def predictions(smoke: Smoke) -> None:
    """Send the picture in every wrapping and at every operating point: always the same probability."""
    picture, looks, ok = smoke.picture, judge.Pictures(), Wanted(200)

    def post(body: bytes, headers: Mapping[str, str] | None = None, **query: str) -> Ask:
        return Ask("POST", "/predict", body, headers or {}, query)

    smoke.check("gets /model with its operating points", Ask("GET", "/model"), ok, look=looks.card)
    smoke.check("reads a picture", post(picture), ok, look=looks.one)
    smoke.check("reads a picture as octets", post(picture, {"Content-Type": "application/octet-stream"}), ok, look=looks.one)
    smoke.check("reads a form of one file", post(bodies.form(picture), bodies.MULTIPART), ok, look=looks.one)
    smoke.check("reads a form of two files", post(bodies.form(picture, picture), bodies.MULTIPART), ok, look=looks.several(2))
    smoke.check("reads JSON instances", post(bodies.instances(picture), bodies.JSON), ok, look=looks.several(1))
    smoke.check("draws a heat map", post(picture, explain="heatmap"), ok, look=looks.map)
    for name, threshold in looks.points.items():
        smoke.check(f"reads at {name}", post(picture, operating_point=name), ok, look=looks.at(name, threshold))
    blank = bodies.blank_picture()
    # 200 where the package has no guard
    smoke.check("lets the guard refuse a blank picture", post(blank), Wanted(422), ok, look=judge.is_guarded)
    smoke.check("reads it when the guard may only advise", post(blank, guard="advise"), ok, look=judge.is_advised)


def refusals(smoke: Smoke) -> None:
    """Send what must be refused."""
    sound = smoke.picture

    def refuse(name: str, ask: Ask, *wanted: Wanted) -> None:
        smoke.check(f"refuses {name}", ask, *wanted)

    for name, (body, status, code) in bodies.broken_pictures().items():
        refuse(name, Ask("POST", "/predict", body), Wanted(status, code))
    refuse(
        "the media type text/plain", Ask("POST", "/predict", sound, {"Content-Type": "text/plain"}), Wanted(415, "unsupported_media_type")
    )
    refuse("a broken form", Ask("POST", "/predict", sound, bodies.MULTIPART), Wanted(400, "malformed_body"))
    refuse("broken JSON", Ask("POST", "/predict", b"{", bodies.JSON), Wanted(400, "malformed_body"))
    refuse("no instances", Ask("POST", "/predict", bodies.instances(), bodies.JSON), Wanted(400, "no_picture"))
    refuse("too many instances", Ask("POST", "/predict", bodies.instances(*[b""] * _MANY), bodies.JSON), Wanted(413, "too_many_pictures"))
    for query in ({"operating_point": "lucky"}, {"opperating_point": "screening"}, {"explain": "words"}, {"guard": "off"}):
        refuse(
            f"{next(iter(query))}={next(iter(query.values()))}",
            Ask("POST", "/predict", sound, query=query),
            Wanted(400, "invalid_parameter"),
        )
    # Some platforms give a chunked body without bytes its length before it reaches the service.
    chunked = Ask("POST", "/predict", chunked=True)
    refuse("neither length nor bytes", chunked, Wanted(411, "length_required"), Wanted(400, "empty_body"), Wanted(411, platform=True))
    for method, path in (("GET", "/predict"), ("PUT", "/predict"), ("DELETE", "/status")):
        smoke.check(f"refuses {method} {path}", Ask(method, path), Wanted(405, "method_not_allowed"), look=judge.allows_others)
    refuse("an unknown route", Ask("GET", "/nowhere"), Wanted(404, "unknown_route"))
    refuse("an unknown job", Ask("GET", "/retrain/none"), Wanted(404, "unknown_job"), Wanted(503, "no_store"))


def shut_doors(smoke: Smoke) -> None:
    """Ask without the secrets that were given, and for what changes something with a wrong one."""
    picture, secrets = Ask("POST", "/predict", smoke.picture), smoke.endpoint.secrets
    shut = (Wanted(401, "unauthorized", platform=True), Wanted(403, platform=True))
    if secrets:
        smoke.check("refuses a picture without the key", picture, *shut, secrets={})
    for name, value in secrets.items():
        wrong = f"Bearer {_WRONG}" if value.startswith("Bearer ") else _WRONG
        smoke.check(f"refuses a wrong {name}", picture, *shut, secrets={**secrets, name: wrong})
    off = (Wanted(401, "admin_unauthorized"), Wanted(403, "admin_routes_off"))
    token = {"X-Admin-Token": _WRONG}
    # In this order: were the token not looked at, text is not stored and "none" is no version; a retraining would start, so it comes last.
    upload = Ask("POST", "/upload-data", b"text", token, {"label": "normal"})
    guarded = smoke.check("refuses an upload with a wrong admin token", upload, *off)
    activation = Ask("POST", "/models/none/activate", b"", token)
    guarded &= smoke.check("refuses an activation with a wrong admin token", activation, *off)
    if guarded:
        smoke.check("refuses a retraining with a wrong admin token", Ask("POST", "/retrain", b"", token), *off)
