"""Azure's door (Functions, Python v2 model): HttpRequest to Request, one call, Response to HttpResponse.

The image copies this file beside `host.json` at the script root, where Azure's worker imports it as `function_app`.
"""

import io
import os
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func

from core import errors, settings
from core.bootstrap import shared
from core.contract import Request, Response
from function_azure.launcher import LAUNCHERS


def read_auth_level() -> func.AuthLevel:
    """Return who may call. With invalid settings only holders of a key: the app starts, and `/health/ready` says what is wrong."""
    try:
        return func.AuthLevel[settings.read(os.environ).azure_auth_level]
    except errors.InvalidSettings:
        return func.AuthLevel.FUNCTION


def to_request(req: func.HttpRequest, path: str) -> Request:
    """Convert what Azure hands in. The query comes from the URL: in `req.params` Azure joins repeated values and drops empty ones."""
    query = dict(parse_qsl(urlsplit(req.url).query, keep_blank_values=True))
    return Request(method=req.method, path=path, query=query, headers=req.headers, body=io.BytesIO(req.get_body()))


def to_http_response(response: Response) -> func.HttpResponse:
    """Convert an answer; its own Content-Type stands."""
    return func.HttpResponse(response.body, status_code=response.status, headers=response.headers)


app = func.FunctionApp(http_auth_level=read_auth_level())


# No `methods` means all of them: core says which it allows. Azure does not look for the more specific route, it tries functions in the
# order of their names (azure-functions-host, issue 9876): the catch-all must come last in the alphabet.
@app.route("health/{probe}", auth_level=func.AuthLevel.ANONYMOUS)
def health(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the platform's probes, which have no key."""
    return to_http_response(shared(LAUNCHERS).handle(to_request(req, "/health/" + req.route_params["probe"])))


# The page holds no secret, and a browser has no key before it has the page. `{…:maxlength(0)?}` matches `/` alone: for an empty route Azure
# takes the function's name. The app needs the setting AzureWebJobsDisableHomepage=true, or Azure shows a page of its own.
@app.route("{nothing:maxlength(0)?}", auth_level=func.AuthLevel.ANONYMOUS)
def page(req: func.HttpRequest) -> func.HttpResponse:
    """Answer `/`, the web page, which asks for a key itself."""
    return to_http_response(shared(LAUNCHERS).handle(to_request(req, "/")))


@app.route("{*path}")
def pneumonia(req: func.HttpRequest) -> func.HttpResponse:
    """Answer everything else."""
    return to_http_response(shared(LAUNCHERS).handle(to_request(req, "/" + req.route_params.get("path", ""))))
