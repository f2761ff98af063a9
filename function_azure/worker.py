"""Azure's Python runtime in this process: index a Function App and call its functions, without the gRPC worker around it.

`azure-functions-runtime` is the library that Azure's worker hands every message to. Its state is global: one app a process. Used by
`function_azure.host`.
"""

import asyncio
import importlib
import json
import sys
import threading
import uuid
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from function_azure.messages import PROTOS, Message, Reply, RpcFunctionMetadata, RpcHttp, StatusResult, TypedData


class WorkerError(Exception):
    """The app cannot be indexed, or a function raised."""


class Function(NamedTuple):
    """One HTTP function of an app. `methods` is empty where all are allowed; `trigger` is its parameter's name."""

    id: str
    name: str
    trigger: str
    route: str
    methods: tuple[str, ...]
    auth_level: str


class HttpCall(NamedTuple):
    """What a function gets. Header names are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    params: Mapping[str, str]
    body: bytes


class HttpAnswer(NamedTuple):
    """What a function gave back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Runtime(Protocol):
    """The part of `azure_functions_runtime`, which has no types, that is used here."""

    def start_threadpool_executor(self) -> None:
        """Start the threads that run functions which are not coroutines."""

    def stop_threadpool_executor(self) -> None:
        """Wait for them to end."""

    async def worker_init_request(self, request: Message) -> Reply:
        """Index the app."""

    async def functions_metadata_request(self, request: Message) -> Reply:
        """Return what was indexed."""

    async def function_load_request(self, request: Message) -> Reply:
        """Load one function."""

    async def invocation_request(self, request: Message) -> Reply:
        """Call one function."""


class Worker:
    """One app in the runtime, with the event loop that the runtime wants. `call` may be used from many threads at once."""

    def __init__(self, script_root: Path) -> None:
        """Index the app in `script_root`.

        Raises:
            WorkerError: there is no app, it cannot be imported, or the runtime is not installed.
        """
        self._runtime = _import_runtime()
        self._runtime.start_threadpool_executor()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="runtime")
        self._thread.start()
        sys.path.insert(0, str(script_root))
        start = Message(function_app_directory=str(script_root), capabilities={})
        self._run(self._runtime.worker_init_request(_envelope(worker_init_request=start)))
        indexed = self._run(self._runtime.functions_metadata_request(_envelope())).function_metadata_results
        if not indexed:
            raise WorkerError(f"Expected function_app.py with a FunctionApp and at least one function in {script_root}. Received: none.")
        self.functions = tuple(_read_function(metadata) for metadata in indexed)
        for function in self.functions:
            load = Message(function_id=function.id)
            self._run(self._runtime.function_load_request(_envelope(function_load_request=load)))

    def call(self, function: Function, call: HttpCall) -> HttpAnswer:
        """Call a function and wait for its answer.

        Raises:
            WorkerError: the function raised, or gave back something else than an HttpResponse.
        """
        http = RpcHttp(**{**call._asdict(), "body": TypedData(bytes=call.body) if call.body else TypedData()})
        invocation = Message(
            invocation_id=str(uuid.uuid4()),
            function_id=function.id,
            input_data=[Message(name=function.trigger, data=TypedData(http=http))],
            trace_context=Message(trace_parent=call.headers.get("traceparent"), trace_state=call.headers.get("tracestate")),
            retry_context=Message(),
        )
        returned = self._run(self._runtime.invocation_request(_envelope(invocation_request=invocation))).return_value
        if returned is None or returned.http is None:
            raise WorkerError(f"Expected an HttpResponse from {function.name}. Received: something else.")
        return HttpAnswer(int(returned.http.status_code), returned.http.headers, returned.http.body.bytes)

    def stop(self) -> None:
        """End the runtime's threads once what they run has ended."""
        self._runtime.stop_threadpool_executor()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, request: Coroutine[object, object, Reply]) -> Reply:
        reply = asyncio.run_coroutine_threadsafe(request, self._loop).result()
        if reply.result.status != StatusResult.Success:
            raise WorkerError(f"{reply.result.exception.message}\n{reply.result.exception.stack_trace}")
        return reply


def _envelope(**request: Message) -> Message:
    return Message(request=Message(**request), properties={"protos": PROTOS, "host": "127.0.0.1"})


def _read_function(metadata: RpcFunctionMetadata) -> Function:
    trigger = next(binding for binding in map(json.loads, metadata.raw_bindings) if binding["type"].lower() == "httptrigger")
    return Function(
        id=metadata.function_id,
        name=metadata.name,
        trigger=trigger["name"],
        route=trigger.get("route") or metadata.name,
        methods=tuple(trigger.get("methods") or ()),
        auth_level=trigger.get("authLevel", "function").lower(),
    )


def _import_runtime() -> Runtime:
    try:
        return cast(Runtime, importlib.import_module("azure_functions_runtime"))
    except ModuleNotFoundError as error:
        raise WorkerError(f"Expected azure-functions-runtime as in requirements/azure-runtime.txt. Received: {error}.") from error
