import pytest

from function_azure.routes import compile_routes, find
from function_azure.worker import Function, WorkerError


def function(name: str, route: str, *methods: str) -> Function:
    return Function(id=name, name=name, trigger="req", route=route, methods=methods, auth_level="function")


APP = (function("rest", "{*path}"), function("files", "files/{*path}", "GET"), function("Health", "health/{probe}"))


@pytest.mark.parametrize(
    ("path", "name", "params"),
    [
        pytest.param("/", "rest", {}, id="root leaves the parameter out"),
        pytest.param("/predict", "rest", {"path": "predict"}, id="one segment"),
        pytest.param("/a/b.c/", "rest", {"path": "a/b.c/"}, id="slashes stay"),
        pytest.param("/health/live", "Health", {"probe": "live"}, id="parameter"),
        pytest.param("/HEALTH/live/", "Health", {"probe": "live"}, id="case and last slash do not count"),
        pytest.param("/health/live/more", "rest", {"path": "health/live/more"}, id="parameter is one segment"),
        pytest.param("/health", "rest", {"path": "health"}, id="parameter is not empty"),
        pytest.param("/files", "files", {}, id="catch-all may be empty"),
        pytest.param("/files/a/b", "files", {"path": "a/b"}, id="catch-all below a segment"),
        pytest.param("/filesystem", "rest", {"path": "filesystem"}, id="segments match whole"),
    ],
)
def test_path_reaches_its_function(path: str, name: str, params: dict[str, str]) -> None:
    found = find(compile_routes(APP, ""), "GET", path)
    assert found is not None
    assert (found[0].name, found[1]) == (name, params)


@pytest.mark.parametrize(("path", "name"), [("/", "page"), ("/page", "rest"), ("/x", "rest")])
def test_parameter_of_no_length_matches_the_root_alone(path: str, name: str) -> None:
    found = find(compile_routes((function("page", "{nothing:maxlength(0)?}"), function("rest", "{*path}")), ""), "GET", path)
    assert found is not None
    assert (found[0].name, "nothing" in found[1]) == (name, False)


def test_empty_route_is_the_name_of_the_function() -> None:
    routes = compile_routes((function("page", ""),), "")
    assert find(routes, "GET", "/") is None
    assert find(routes, "GET", "/page") is not None


def test_first_name_in_the_alphabet_wins_and_not_the_more_specific_route() -> None:
    found = find(compile_routes((function("b", "health"), function("A", "{*path}")), ""), "GET", "/health")
    assert found is not None
    assert found[0].name == "A"


def test_next_function_is_tried_where_the_method_does_not_fit() -> None:
    found = find(compile_routes(APP, ""), "POST", "/files/a")
    assert found is not None
    assert found[0].name == "rest"


def test_no_function_for_the_method_is_no_match() -> None:
    assert find(compile_routes((function("files", "files", "GET"),), ""), "POST", "/files") is None


@pytest.mark.parametrize("path", ["/admin", "/Admin/host/status", "/runtime/webhooks"])
def test_paths_of_the_host_itself_reach_no_function(path: str) -> None:
    assert find(compile_routes(APP, ""), "GET", path) is None


@pytest.mark.parametrize("prefix", ["api", "/api/"])
def test_prefix_stands_before_every_route(prefix: str) -> None:
    routes = compile_routes(APP, prefix)
    assert [route.template for route in routes] == ["/api/files/{*path}", "/api/health/{probe}", "/api/{*path}"]
    assert find(routes, "GET", "/health/live") is None
    assert find(routes, "GET", "/api/health/live") is not None


@pytest.mark.parametrize("route", ["{id:int}", "{id?}", "{id=1}", "a{id}", "{id:maxlength(1)?}"])
def test_route_that_this_host_does_not_know_is_refused_with_the_reason(route: str) -> None:
    with pytest.raises(WorkerError, match=r"Expected \{name\} or \{\*name\} in the route of f\. Received: "):
        compile_routes((function("f", route),), "")
