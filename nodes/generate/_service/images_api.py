"""The images API that OpenAI began and many services speak: what is asked, and what an answer or a refusal means."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Any

from app.engine import BadInput, ServiceFailed
from nodes.generate._service.address import Service
from nodes.generate._service.http import Answer, Request

AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})
QUOTA = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "exceeded your current quota")
REFUSED = ("content_policy", "moderation", "safety", "content_filter")
LONGEST_WAIT_S = 60.0
SHOWN = 300


def generation(service: Service, fields: Mapping[str, Any]) -> Request:
    """Pictures from words."""
    headers = {**_headers(service), "Content-Type": "application/json"}
    return Request("POST", f"{service.base}/images/generations", headers, json.dumps(fields).encode())


def edit(service: Service, fields: Mapping[str, Any], files: Mapping[str, bytes]) -> Request:
    """Pictures from a picture, as a form (RFC 7578). ``files``: PNG data by the name of their field."""
    mark = secrets.token_hex(16)
    parts = []
    for name, value in fields.items():
        text = value if isinstance(value, str) else json.dumps(value)
        parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode())
    for name, data in files.items():
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.png"\r\n'
        parts += [head.encode(), b"Content-Type: image/png\r\n\r\n", data, b"\r\n"]
    headers = {**_headers(service), "Content-Type": f"multipart/form-data; boundary={mark}"}
    return Request("POST", f"{service.base}/images/edits", headers, b"".join([*parts, f"--{mark}--\r\n".encode()]))


def _headers(service: Service) -> dict[str, str]:
    key = {"Authorization": f"Bearer {service.key}"} if service.key else {}
    return {"Accept": "application/json", "User-Agent": "polyloom", **key}


def extra_fields(text: str) -> dict[str, Any]:
    """Further fields that a person wrote as a JSON object. Raises :class:`BadInput`."""
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or any('"' in name or "\r" in name or "\n" in name for name in found):
        raise BadInput("The further settings are not a JSON object.", 'Write them such as {"quality": "high"}.')
    return found


def answered(answer: Answer, service: Service) -> dict[str, Any]:
    """The object of an answer. Raises :class:`ServiceFailed` in words for a refusal or nonsense."""
    if not 200 <= answer.status < 300:
        raise refusal(answer, service)
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("data"), list) or not found["data"]:
        raise ServiceFailed(
            f"{service.host} sent an answer that holds no pictures.",
            "Check that the address is that of an images API, and ends before /images.",
        )
    return found


def inline(item: Any, service: Service) -> bytes | None:
    """The picture data inside an item of an answer, or None where it only says where the picture lies."""
    text = item.get("b64_json") if isinstance(item, dict) else None
    if not isinstance(text, str):
        return None
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ServiceFailed(f"{service.host} sent a picture that cannot be read.", "Run again.") from None


def place(item: Any, service: Service) -> str:
    """Where a picture lies. Raises :class:`ServiceFailed`."""
    url = item.get("url") if isinstance(item, dict) else None
    if not isinstance(url, str) or not url:
        raise ServiceFailed(f"{service.host} sent an answer that holds no picture.", "Run again.")
    return url


def refusal(answer: Answer, service: Service) -> ServiceFailed:
    """What a status other than success means, in words; the key is never among them."""
    code, message = _complaint(answer)
    host, status = service.host, answer.status
    said = f" It says: {_safe(message, service)}" if message else ""
    if 300 <= status < 400:
        return ServiceFailed(
            f"{host} wants the request sent elsewhere, and that was not done.", "Enter the service's own address."
        )
    if status == 402 or any(word in f"{code} {message}".lower() for word in QUOTA):
        return ServiceFailed(f"The account at {host} has no credit left.{said}", "Check the account's plan and limits.")
    if any(word in code.lower() for word in REFUSED) or "safety system" in message.lower():
        return ServiceFailed(f"{host} refuses this content.{said}", "Change the prompt or the picture.")
    if status == 401:
        return ServiceFailed(f"{host} does not accept the key.", "Check the key, or make a new one at the service.")
    words, advice = {
        403: ("does not permit this", "Check what the key may do, and whether the account may use the model."),
        404: ("does not know this address or model", "Check both."),
        413: ("finds the request too large", "Send a smaller picture."),
        429: ("has too many requests", "Wait a while and run again."),
    }.get(status, ("cannot do this", "Change the settings.") if status < 500 else ("has a fault", "Try again later."))
    return ServiceFailed(f"{host} {words} (status {status}).{said}", advice)


def _complaint(answer: Answer) -> tuple[str, str]:
    """(code and type, message) of an error object, or empty."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return "", ""
    error = found.get("error", found) if isinstance(found, dict) else found
    if not isinstance(error, dict):
        return "", error if isinstance(error, str) else ""
    message = error.get("message") or error.get("detail") or ""
    return f"{error.get('code') or ''} {error.get('type') or ''}".strip(), message if isinstance(message, str) else ""


def _safe(message: str, service: Service) -> str:
    """A service's own words, on one line, not long, and without the key should they hold it."""
    text = " ".join(message.split())
    if service.key:
        text = text.replace(service.key, "(the key)")
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def may_ask_again(answer: Answer) -> bool:
    """Whether the refusal is of a kind that passes; an empty account does not fill by waiting."""
    code, message = _complaint(answer)
    return answer.status in AGAIN and not any(word in f"{code} {message}".lower() for word in QUOTA)


def pause(answer: Answer | None, attempt: int) -> float:
    """Seconds before the next try: as the service asks (RFC 9110, 10.2.3), else 1, 2, 4 … ."""
    asked = answer.headers.get("retry-after", "") if answer else ""
    try:
        wait = float(asked)
    except ValueError:
        try:
            wait = parsedate_to_datetime(asked).timestamp() - time()
        except (TypeError, ValueError):
            wait = 2.0**attempt
    return min(max(wait, 0.0), LONGEST_WAIT_S) if wait == wait else LONGEST_WAIT_S
