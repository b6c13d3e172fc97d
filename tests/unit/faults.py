"""A boto3 client made to fail, or watched, at chosen calls."""

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
    """A context in which each call of `operation` whose body has `only` in it fails."""

    def fail(params: dict[str, Any], **_: Any) -> None:
        if not only or only in params["body"]:
            raise client.exceptions.from_code(code)({"Error": {"Code": code}}, operation)

    return on_call(client, operation, fail)


def watch(client: Any, operation: str) -> list[dict[str, Any]]:
    """The parameters of each call of `operation` from now on."""
    seen: list[dict[str, Any]] = []
    event = f"provide-client-params.*.{operation}"
    client.meta.events.register(event, lambda params, **_: seen.append(dict(params)))
    return seen


def alter(client: Any, operation: str, change: Callable[[dict[str, Any]], Any]) -> None:
    """Let `change` alter each answer to `operation` before the code sees it."""
    client.meta.events.register(f"after-call.*.{operation}", lambda parsed, **_: change(parsed))


def refuse_entry(sqs: Any, number: int) -> None:
    """Let each batch that is sent have one entry not accepted."""
    refusal = {"Id": str(number), "SenderFault": False, "Code": "InternalError"}
    alter(sqs, "SendMessageBatch", lambda answer: answer.update(Failed=[refusal]))
