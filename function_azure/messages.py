"""The messages between Azure's host and its Python runtime, as plain classes where Azure has generated protobuf ones.

The runtime makes its replies from the classes in `PROTOS`. Annotated is what `function_azure.worker` reads of them.
"""

from collections.abc import Mapping

Octets = bytes  # `TypedData` has a field called bytes


class Message:
    """Stands for any protobuf message. A field that was not set is None."""

    def __init__(self, **fields: object) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> None:
        if not name.islower():  # the runtime looks for message classes on messages, and expects to find none
            raise AttributeError(name)

    def WhichOneof(self, _group: str) -> str | None:
        """Return which of the alternatives is set (protobuf's name): in what is sent from here the last field."""
        return next(reversed(self.__dict__), None)


class BindingInfo(Message):
    """A parameter's binding; directions as azure-functions numbers them."""

    undefined, out, inout = 0, 1, 2


class RpcException(Message):
    """What a function raised."""

    message: str
    stack_trace: str


class StatusResult(Message):
    """How a request to the runtime ended."""

    Failure, Success = 0, 1
    status: int
    exception: RpcException


class TypedData(Message):
    """A value of one of several types."""

    http: "RpcHttp | None"
    bytes: Octets


class RpcHttp(Message):
    """An HTTP request or answer."""

    status_code: str
    headers: Mapping[str, str]
    body: TypedData


class RpcFunctionMetadata(Message):
    """One indexed function; each binding is a JSON text."""

    name: str
    function_id: str
    raw_bindings: list[str]


class Reply(Message):
    """Any reply of the runtime."""

    result: StatusResult
    function_metadata_results: list[RpcFunctionMetadata] | None
    return_value: TypedData | None


PROTOS = Message(
    BindingInfo=BindingInfo,
    FunctionMetadataResponse=Reply,
    InvocationResponse=Reply,
    RpcException=RpcException,
    RpcFunctionMetadata=RpcFunctionMetadata,
    RpcHttp=RpcHttp,
    FunctionLoadResponse=Reply,
    StatusResult=StatusResult,
    TypedData=TypedData,
    WorkerInitResponse=Reply,
    WorkerMetadata=Message,
)
