"""`GET /v1/entitlements/{workspace}/{member}`: the door for the vendor's own product (E1).

Its shape is a promise, made in docs/entitlements.md. Every answer is worked out from the rows, and carries a strong ETag of
its facts: a copy is asked about again before it is used (`no-cache`), so it is never stale, and costs 304 and no body while
nothing has changed.
"""

import hashlib
import hmac
import json
import logging
import re
from typing import Any

from aiohttp import web

from domain.desk import Desk
from domain.entitlements import Entitlement, NotThere, entitlement

log = logging.getLogger("kassor.entitlements")
PATH = "/v1/entitlements/{workspace}/{member}"
_WORKSPACE = re.compile(r"[TE][A-Z0-9]{1,31}")
_MEMBER = re.compile(r"[UW][A-Z0-9]{1,31}")
_REALM = 'Bearer realm="kassor"'


def routes(desk: Desk) -> list[web.RouteDef]:
    """GET and HEAD; everything else on the path is 405."""
    door = _Door(desk)
    return [web.get(PATH, door.answer), web.route("*", PATH, _only_get)]


def body_of(workspace: str, found: Entitlement, desk: Desk) -> dict[str, Any]:
    """The answer's JSON. Keys are only ever added; moments are ISO 8601 in UTC; amounts and e-mails are never in it."""
    plan = desk.catalogue.plan(found.plan or "")
    source = found.source
    return {
        "workspace": workspace,
        "member": found.member.slack_user_id,
        "plan": found.plan,
        "plan_name": plan.name if plan else found.plan,
        "features": {language: list(lines) for language, lines in plan.features.items()} if plan else {},
        "source": None
        if source is None
        else {
            "kind": source.scope.kind.value,
            "scope": str(source.scope.id),
            "name": source.scope.name,
            "standing": source.standing.value,
        },
        "valid_until": found.valid_until.isoformat() if found.valid_until else None,
        "why_not": found.why_not,
    }


class _Door:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tokens = [_digest(token) for token in desk.settings.api_tokens]

    async def answer(self, request: web.Request) -> web.Response:
        if not self._tokens:
            return _refused(
                503,
                "not_configured",
                what="The look-up is not open.",
                why="No token is set, so nobody could be let in.",
                then="Set KASSOR_API_TOKENS where Kassör runs, and start it again.",
            )
        if not self._lets_in(request.headers.get("Authorization", "")):
            return _refused(
                401,
                "unauthorized",
                what="You were not let in.",
                why="There is no `Authorization: Bearer …` with a token that Kassör knows.",
                then="Send one of the tokens in KASSOR_API_TOKENS, in the header and nowhere else.",
                headers={"WWW-Authenticate": _REALM},
            )
        workspace, member = request.match_info["workspace"], request.match_info["member"]
        if not _WORKSPACE.fullmatch(workspace) or not _MEMBER.fullmatch(member):
            return _refused(
                400,
                "bad_id",
                what="That is not the address of a member.",
                why="A workspace's id begins with T (or E), a member's with U (or W), in capitals and digits.",
                then="Use the ids Slack gives: team_id and user_id.",
            )
        try:
            found = await entitlement(self._desk.catalogue, workspace, member)
        except NotThere as unknown:
            return _not_there(unknown.what)
        except Exception:  # whatever is wrong with the database: a wrong plan would be worse than none
            log.exception("an entitlement could not be read")
            return _refused(
                503,
                "away",
                what="The answer can't be given right now.",
                why="Kassör's database does not answer.",
                then="Ask again in a few seconds; keep what you knew meanwhile.",
                headers={"Retry-After": "5"},
            )
        return _fresh(request, body_of(workspace, found, self._desk))

    def _lets_in(self, header: str) -> bool:
        """Whether the header carries a token of ours; takes as long whichever it is, and however wrong."""
        scheme, _, token = header.partition(" ")
        given = _digest(token.strip())
        known = [hmac.compare_digest(given, each) for each in self._tokens]
        return any(known) and scheme.lower() == "bearer"


def _digest(token: str) -> bytes:
    """Tokens are compared by digest: the same length for all, and none kept as it is."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _fresh(request: web.Request, body: dict[str, Any]) -> web.Response:
    """200 with the body, or 304 when the asker has this very answer."""
    text = json.dumps(body, ensure_ascii=False)
    tag = hashlib.sha256(text.encode()).hexdigest()[:32]
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if any(each.value in {tag, "*"} for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(text=text, content_type="application/json", headers=headers)


def _not_there(what: str) -> web.Response:
    if what == "workspace":
        why = "Kassör has never been installed there, or the id is another workspace's."
        then = "Check team_id; install Kassör in the workspace, and everybody there is known within a minute."
    else:
        why = "Nobody in that workspace has this id, or they joined a moment ago."
        then = "Check user_id; for somebody new, ask again in a minute and treat them as on the free plan until then."
    return _refused(404, f"unknown_{what}", what=f"There is no such {what}.", why=why, then=then)


async def _only_get(_: web.Request) -> web.Response:
    return _refused(
        405,
        "method_not_allowed",
        what="Nothing can be changed here.",
        why="The look-up only answers.",
        then="Use GET, or HEAD.",
        headers={"Allow": "GET, HEAD"},
    )


def _refused(
    status: int, code: str, *, what: str, why: str, then: str, headers: dict[str, str] | None = None
) -> web.Response:
    body = {"error": code, "what": what, "why": why, "next": then}
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store"} | (headers or {}))
