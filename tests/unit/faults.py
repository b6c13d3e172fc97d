"""Make chosen calls of a boto3 client fail, or record them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def on_call(client: Any, operation: str, action: Callable[..., Any]) -> Iterator[None]:
    """Run `action` before each call of `operation` is sent."""
    client.meta.events.register(f"before-call.*.{operation}", action)
    yield
    client.meta.events.unregister(f"before-call.*.{operation}", action)


def refused(client: Any, operation: str, code: str = "ServiceUnavailable", *, only: bytes = b"") -> Any:
    """Return a context in which each call of `operation` fails if its body contains `only`."""

    def fail(params: dict[str, Any], **_: Any) -> None:
        if not only or only in params["body"]:
            raise client.exceptions.from_code(code)({"Error": {"Code": code}}, operation)

    return on_call(client, operation, fail)


def watch(client: Any, operation: str) -> list[dict[str, Any]]:
    """Return a list to which the parameters of each further call of `operation` are appended."""
    calls: list[dict[str, Any]] = []
    event = f"provide-client-params.*.{operation}"
    client.meta.events.register(event, lambda params, **_: calls.append(dict(params)))
    return calls


def alter(client: Any, operation: str, change: Callable[[dict[str, Any]], Any]) -> None:
    """Let `change` modify each response of `operation` before the caller gets it."""
    client.meta.events.register(f"after-call.*.{operation}", lambda parsed, **_: change(parsed))


def refuse_entry(sqs: Any, number: int) -> None:
    """Make SQS refuse one entry of each batch that is sent."""
    refusal = {"Id": str(number), "SenderFault": False, "Code": "InternalError"}
    alter(sqs, "SendMessageBatch", lambda response: response.update(Failed=[refusal]))
