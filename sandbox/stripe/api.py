"""One API call from the wire to the answer: key, faults, parameters, idempotency, expansion, errors."""

import asyncio
import json
import secrets
import time
from typing import Any

from aiohttp import web
from stripe import api_version

from sandbox.journal import Exchange, Journal
from sandbox.stripe import forms, ids
from sandbox.stripe.account import Account
from sandbox.stripe.errors import ApiError, invalid, no_such_url, unauthorized
from sandbox.stripe.expansion import answer
from sandbox.stripe.idempotency import Keys
from sandbox.stripe.operations import Operation, find
from sandbox.stripe.validation import check, spec_named

Object = dict[str, Any]
LONGEST_SILENCE = 30.0  # seconds
_FORM = "application/x-www-form-urlencoded"


class Api:
    """`ANY /v1/…`. Every call and its answer are in the journal."""

    def __init__(self, account: Account, journal: Journal, key: str) -> None:
        self._account = account
        self._journal = journal
        self._key = key
        self.keys = Keys()

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one call."""
        started, request_id = time.monotonic(), f"req_{ids.random_word(14)}"
        body = await request.text()
        status, payload, headers, note = await self._answered(request, body, request_id)
        if status == 0:
            raise ConnectionResetError
        self._journal.record(
            Exchange(
                caller="kassor",
                callee="stripe",
                method=request.method,
                url=str(request.url),
                request_headers=dict(request.headers),
                request_body=body,
                status=status,
                response_body=payload.decode(),
                seconds=time.monotonic() - started,
                note=note,
            )
        )
        headers = {"Request-Id": request_id, "Stripe-Version": api_version, **headers}
        return web.Response(status=status, body=payload, content_type="application/json", headers=headers)

    async def _answered(
        self, request: web.Request, body: str, request_id: str
    ) -> tuple[int, bytes, dict[str, str], str]:
        key = request.headers.get("Idempotency-Key") if request.method in {"POST", "DELETE"} else None
        path = request.path.removeprefix("/v1")
        text = body if request.method == "POST" else request.query_string
        fault = self._fault(path)
        if fault is not None and not fault["after"]:
            await asyncio.sleep(fault["silence"])
            return fault["status"], _dump(fault["body"]), fault["headers"], "fault"
        try:
            self._check_key(request)
            _check_wire(request)
            found = find(request.method, path)
            if found is None:
                raise no_such_url(request.method, request.path)
            operation, path_ids = found
            params = check(forms.decode(text), spec_named(operation.params))
            if key is not None:
                kept = self.keys.begin(key, request.method, path, text, self._account.clock.timestamp())
                if kept is not None and kept.status is not None:
                    replayed = {
                        "Idempotent-Replayed": "true",
                        "Original-Request": kept.request_id,
                        "Idempotency-Key": key,
                    }
                    return kept.status, kept.body, replayed, "replayed"
        except ApiError as refusal:
            return refusal.status, _dump(_logged(refusal, request_id)), {}, ""
        status, shown = self._carried_out(operation, params, path_ids, request_id, key)
        payload = _dump(shown)
        if fault is not None:
            await asyncio.sleep(fault["silence"])  # still at it, as far as the caller and whoever asks again can tell
        if key is not None:
            self.keys.end(key, status, payload, request_id)
        if fault is not None:
            return fault["status"], _dump(fault["body"]), fault["headers"], "fault after the work was done"
        return status, payload, {"Idempotency-Key": key} if key else {}, ""

    def _check_key(self, request: web.Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            raise unauthorized(None)
        if not secrets.compare_digest(given.encode(), self._key.encode()):
            raise unauthorized(given)

    def _fault(self, path: str) -> Object | None:
        """The next injected fault, if any is left, for this `path` where it names one. `silence`: seconds without an answer."""
        for fault in self._account.faults.api:
            if fault.get("path", "") not in path:
                continue
            fault["times"] -= 1
            if fault["times"] <= 0:
                self._account.faults.api.remove(fault)
            silence = min(fault.get("seconds", LONGEST_SILENCE), LONGEST_SILENCE) if fault["kind"] == "timeout" else 0
            limited = fault["kind"] == "rate_limited"
            message = "Request rate limit exceeded." if limited else "An unknown error occurred."
            error = {"message": message, "type": "invalid_request_error" if limited else "api_error"}
            if limited:
                error["code"] = "rate_limit"
            # The official client tries again by itself unless told not to.
            headers = {"Stripe-Should-Retry": "true"} if fault.get("should_retry") else {}
            if limited:
                headers["Stripe-Rate-Limited-Reason"] = "global-rate"
            if limited and "retry_after" in fault:
                headers["Retry-After"] = str(int(fault["retry_after"]))
            return {
                "status": fault.get("status", 429 if limited else 500),
                "body": {"error": error},
                "headers": headers,
                "after": fault.get("after", False),
                "silence": silence,
            }
        return None

    def _carried_out(
        self, operation: Operation, params: Object, path_ids: tuple[str, ...], request_id: str, key: str | None
    ) -> tuple[int, Object]:
        account = self._account
        expand = params.pop("expand", None) or []
        account.request = {"id": request_id, "idempotency_key": key}
        try:
            raw = operation.answer(account, params, *path_ids)
            return 200, answer(raw, expand, account.find)
        except ApiError as refusal:
            return refusal.status, _logged(refusal, request_id)
        finally:
            account.request = {"id": None, "idempotency_key": None}


def _check_wire(request: web.Request) -> None:
    """The version and the form of a call. Raises ApiError for a version other than the client's own, and for JSON."""
    version = request.headers.get("Stripe-Version", api_version)
    if version != api_version:
        raise invalid(f"Invalid Stripe API version: {version}. This account speaks {api_version} alone.")
    if request.method == "POST" and request.body_exists and request.content_type != _FORM:
        raise invalid(f"Invalid request (check that your POST content type is {_FORM}).")


def _logged(refusal: ApiError, request_id: str) -> Object:
    refusal.body["error"]["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
    return refusal.body


def _dump(body: Object) -> bytes:
    return json.dumps(body, ensure_ascii=False, indent=2, default=str).encode()
