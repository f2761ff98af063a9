"""The cases of what a store makes possible: uploads, promotions and retraining."""

from collections.abc import Mapping

from core import models
from core.settings import BAKED_MODEL
from tests.contract import bodies
from tests.contract.deployments import ADMIN, BROKEN_VERSION, JSON, KEY, MULTIPART, TOKEN, Case, predict, seeded
from tests.contract.doors import Ask


def _upload(
    body: bytes, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, token: str | None = TOKEN
) -> Ask:
    admin = {} if token is None else {"X-Admin-Token": token}
    return Ask("POST", "/upload-data", body, {**(headers or {}), **admin}, query or {})


def uploads() -> list[Case]:
    jpeg, png = bodies.jpeg(), bodies.encoded("PNG")
    normal = {"label": "normal"}

    def form(*files: bytes, label: str = "viral pneumonia") -> Ask:
        return _upload(bodies.multipart(*files, field="label", value=label), headers=MULTIPART)

    kept = [
        Case("stores a picture", _upload(jpeg, normal), 200),
        Case("stores one file of a form", form(png), 200),
        Case("stores two files of a form", form(png, bodies.encoded("BMP")), 200),
        Case("stores a picture under its label's slug", _upload(bodies.encoded("TIFF"), {"label": "bacterial-pneumonia"}), 200),
        Case("stores a picture of a new kind", _upload(bodies.encoded("JPEG", "RGB"), {"label": "fungal pneumonia"}), 200),
        Case("stores one instance", _upload(bodies.instances(jpeg), normal, JSON), 200),
        Case("stores the sound one of two files", form(b"text", png), 200, "not_a_picture"),
        Case("stores the new one of two files", form(seeded(), png), 200, "label_conflict"),
    ]
    refused = [
        Case("refuses to store text", _upload(b"text", normal), 422, "not_a_picture"),
        Case("refuses to store another label's picture", _upload(seeded(), normal), 409, "label_conflict"),
        Case("refuses an upload without a label", _upload(jpeg), 400, "unknown_label"),
        Case("refuses an unknown label", _upload(jpeg, {"label": "nromal"}), 400, "unknown_label"),
        Case("refuses an unknown label in a form", form(jpeg, label="../normal"), 400, "unknown_label"),
        Case("refuses a parameter of predictions", _upload(jpeg, {"explain": "heatmap"}), 400, "invalid_parameter"),
        Case("refuses an empty upload", _upload(b"", normal), 400, "empty_body"),
        Case("refuses an upload without the token", _upload(jpeg, normal, token=None), 401, "admin_unauthorized"),
        Case("refuses an upload with a wrong token", _upload(jpeg, normal, token="wrong"), 401, "admin_unauthorized"),
        Case("refuses GET /upload-data", Ask("GET", "/upload-data"), 405, "method_not_allowed"),
    ]
    elsewhere = {
        "default": (403, "admin_routes_off"),
        "store-without-token": (403, "admin_routes_off"),
        "no-store": (503, "no_store"),
        "broken-store": (503, "store_unavailable"),
    }
    return [
        *(case._replace(deployment="store") for case in (*kept, *refused)),
        *(Case(f"{name}: POST /upload-data", _upload(jpeg, normal), *answer, deployment=name) for name, answer in elsewhere.items()),
        Case("broken-store: reads a picture", predict(jpeg), 200, deployment="broken-store"),
    ]


def promotions() -> list[Case]:
    version = models.installed_version(BAKED_MODEL)
    activate = f"/models/{version}/activate"
    wrong = {"X-Admin-Token": "wrong"}
    cases = [
        Case("activates the installed version", Ask("POST", activate, headers=ADMIN), 200),
        Case("activates what is active", Ask("POST", activate, headers=ADMIN, query={"reason": "again"}), 200),
        Case("lists the models", Ask("GET", "/models"), 200),
        Case("refuses a version that is not there", Ask("POST", "/models/none/activate", headers=ADMIN), 404, "unknown_version"),
        Case(
            "refuses a package that fails its self-test",
            Ask("POST", f"/models/{BROKEN_VERSION}/activate", headers=ADMIN),
            422,
            "package_refused",
        ),
        Case("refuses a wrong admin token", Ask("POST", activate, headers=wrong), 401, "admin_unauthorized"),
        Case("refuses a missing admin token", Ask("POST", activate), 401, "admin_unauthorized"),
        Case("refuses a misspelt reason", Ask("POST", activate, headers=ADMIN, query={"raeson": "x"}), 400, "invalid_parameter"),
        Case("refuses GET on an activation", Ask("GET", activate), 405, "method_not_allowed"),
        Case("refuses an activation of nothing", Ask("POST", "/models//activate", headers=ADMIN), 404, "unknown_route"),
        Case("refuses a path below a version", Ask("POST", f"/models/{version}/more/activate", headers=ADMIN), 404, "unknown_route"),
    ]
    return [
        *(case._replace(deployment="living") for case in cases),
        Case("keeps routes that change something off", Ask("POST", activate, headers=ADMIN), 403, "admin_routes_off"),
        Case("says that models need a store", Ask("GET", "/models"), 503, "no_store"),
        Case("says that the store is down", Ask("GET", "/models"), 503, "store_unavailable", deployment="broken-store"),
        Case(
            "activates nothing while the store is down",
            Ask("POST", activate, headers=ADMIN),
            503,
            "store_unavailable",
            deployment="broken-store",
        ),
    ]


def retraining() -> list[Case]:
    asked = Ask("POST", "/retrain", headers=ADMIN)
    return [
        Case("tells that nobody can run a job", asked, 502, "launcher_failed", deployment="store"),
        Case("refuses a second job", asked, 409, "job_running", deployment="busy"),
        Case("lists jobs", Ask("GET", "/retrain"), 200, deployment="busy"),
        Case("tells of a job", Ask("GET", "/retrain/00000001"), 200, deployment="busy"),
        Case("tells of a job without its zeros", Ask("GET", "/retrain/1"), 200, deployment="busy"),
        Case("refuses an unknown job", Ask("GET", "/retrain/00000002"), 404, "unknown_job", deployment="busy"),
        Case("refuses DELETE /retrain", Ask("DELETE", "/retrain/1"), 405, "method_not_allowed", deployment="busy"),
        Case("refuses to retrain without a token", Ask("POST", "/retrain"), 401, "admin_unauthorized", deployment="busy"),
        Case(
            "refuses a wrong token", Ask("POST", "/retrain", headers={"X-Admin-Token": "x"}), 401, "admin_unauthorized", deployment="busy"
        ),
        Case("retrains nothing where no token is set", asked, 403, "admin_routes_off"),
        Case("needs a store to retrain", asked, 503, "no_store", deployment="no-store"),
        Case("needs a store to list jobs", Ask("GET", "/retrain"), 503, "no_store"),
        Case("tells that the store does not answer", asked, 503, "store_unavailable", deployment="broken-store"),
    ]


def reads() -> list[Case]:
    """What tells of models and retrainings asks for the API key where one is set, as predictions do."""
    paths = ("/models", "/retrain", "/retrain/1")
    return [
        *(Case(f"asks for the key: {path}", Ask("GET", path), 401, "unauthorized", deployment="small") for path in paths),
        *(
            Case(f"refuses a wrong key: {path}", Ask("GET", path, headers={"X-API-Key": "x"}), 401, "unauthorized", deployment="small")
            for path in paths
        ),
        *(
            Case(f"takes the key: {path}", Ask("GET", path, headers={"X-API-Key": KEY}), 503, "no_store", deployment="small")
            for path in paths
        ),
    ]


def management() -> list[Case]:
    manage = Ask("GET", "/manage", headers=ADMIN)
    return [
        Case("tells what may be managed", manage, 200, deployment="store"),
        Case("tells what may be managed without a store", manage, 200, deployment="no-store"),
        Case("tells what may be managed while the store is down", manage, 200, deployment="broken-store"),
        Case("tells nobody else what may be managed", Ask("GET", "/manage"), 401, "admin_unauthorized", deployment="store"),
        Case("tells that nothing may be managed", manage, 403, "admin_routes_off"),
        Case("refuses POST /manage", Ask("POST", "/manage", headers=ADMIN), 405, "method_not_allowed", deployment="store"),
    ]


CASES = (*uploads(), *promotions(), *retraining(), *reads(), *management())
