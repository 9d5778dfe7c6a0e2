"""What Stripe answers when it says no: a status and `{"error": {type, code, param, message, …}}`."""

from typing import Any

from sandbox.stripe.payment import error_code, sentence


class ApiError(Exception):
    """A refusal on its way to the client. Built by the named constructors below."""

    def __init__(self, status: int, type_: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"error": {"message": message, "type": type_}}
        self.body["error"].update({key: value for key, value in facts.items() if value is not None})
        code = facts.get("code")
        if code:
            self.body["error"]["doc_url"] = f"https://stripe.com/docs/error-codes/{str(code).replace('_', '-')}"


def invalid(message: str, *, param: str | None = None, code: str | None = None, status: int = 400) -> ApiError:
    """400 `invalid_request_error`."""
    return ApiError(status, "invalid_request_error", message, code=code, param=param)


def unknown_parameter(name: str) -> ApiError:
    """A parameter the operation does not take."""
    return invalid(f"Received unknown parameter: {name}", param=name, code="parameter_unknown")


def missing_parameter(name: str) -> ApiError:
    """A required parameter is not there."""
    return invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")


def no_such(kind: str, object_id: str, param: str = "id") -> ApiError:
    """404 `resource_missing`: nothing of that kind has that id. Stripe answers 400 where the id came as a parameter."""
    name = {"checkout.session": "checkout.session", "payment_method": "PaymentMethod"}.get(kind, kind)
    return invalid(
        f"No such {name}: '{object_id}'", param=param, code="resource_missing", status=404 if param == "id" else 400
    )


def unauthorized(key: str | None) -> ApiError:
    """401: no key, or not this account's."""
    if key is None:
        return invalid(
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer "
            "auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    shown = f"{key[:8]}{'*' * max(len(key) - 12, 4)}{key[-4:]}" if len(key) > 12 else "****"
    return invalid(f"Invalid API Key provided: {shown}", status=401)


def no_such_url(method: str, path: str) -> ApiError:
    """404 for a path Stripe does not have."""
    return invalid(f"Unrecognized request URL ({method}: {path}).", status=404)


def declined(decline_code: str, *, charge: str | None = None, payment_intent: dict[str, Any] | None = None) -> ApiError:
    """402 `card_error`: the bank said no."""
    code = error_code(decline_code)
    return ApiError(
        402,
        "card_error",
        sentence(decline_code),
        code=code,
        decline_code=decline_code if code == "card_declined" else None,
        charge=charge,
        payment_intent=payment_intent,
    )
