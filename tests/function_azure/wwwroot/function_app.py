"""A function app of the tests' own, to see what the host does with any app."""

import json
import threading
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
both_are_here = threading.Barrier(2)


@app.route("echo/{*path}")
def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Tell what arrived."""
    arrived = {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "query": dict(req.params),
        "params": dict(req.route_params),
        "body": req.get_body().hex(),
    }
    return func.HttpResponse(json.dumps(arrived), mimetype="application/json")


@app.route("fail")
def fail(req: func.HttpRequest) -> func.HttpResponse:
    """Raise."""
    raise RuntimeError("told to fail")


@app.route("hold")
def hold(req: func.HttpRequest) -> func.HttpResponse:
    """Answer with what comes through a pipe, once it comes."""
    return func.HttpResponse(Path(req.params["pipe"]).read_text())


@app.route("meet")
def meet(req: func.HttpRequest) -> func.HttpResponse:
    """Answer once two requests are here at the same time."""
    both_are_here.wait(timeout=10)
    return func.HttpResponse("met")


@app.route("open", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
def open_to_all(req: func.HttpRequest) -> func.HttpResponse:
    """Answer anyone."""
    return func.HttpResponse(b"\x00\xff", status_code=201, headers={"Content-Type": "image/x-own", "Allow": "GET, POST"})
