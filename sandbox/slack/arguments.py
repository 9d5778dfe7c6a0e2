"""The arguments that a method of Slack's has, as its official client declares them. Any other is refused, with a pointer to it."""

import functools
import inspect
from collections.abc import Iterable

from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack.state import SlackError

_MORE = {  # documented, and not in the client's signature
    "files.completeUploadExternal": {"blocks", "channels"},
    "oauth.v2.access": {"code_verifier"},
}
_EVERYWHERE = {"token", "team_id"}  # the client may add the team to whatever it asks


def check(method: str, given: Iterable[str]) -> None:
    """Raises SlackError invalid_arguments for the names that the method does not have."""
    unknown = sorted(set(given) - _known(method))
    if unknown:
        said = [f"[ERROR] no such argument: {name} [json-pointer:/{name}]" for name in unknown]
        raise SlackError("invalid_arguments", said)


@functools.cache
def _known(method: str) -> frozenset[str]:
    declared = inspect.signature(getattr(AsyncWebClient, method.replace(".", "_"))).parameters
    return frozenset(declared.keys() - {"self", "kwargs"} | _MORE.get(method, set()) | _EVERYWHERE)
