"""Where a request may go, and the key that goes with it.

A graph may come from anyone, so it does not decide alone where a key or a picture is sent: an address counts only when
it is the default one, this machine, or named by the person outside of the graph.
"""

from __future__ import annotations

import importlib
import os
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from app.engine import BadParam, MissingKey

DEFAULT_HOST = "api.openai.com"
DEFAULT_KEY = "POLYLOOM_SERVICE_KEY"
OPENAI_KEY = "OPENAI_API_KEY"
HOSTS = "POLYLOOM_SERVICE_HOSTS"
STORE = "polyloom"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
NAME = re.compile(r"POLYLOOM_[A-Z0-9_]+|[A-Z][A-Z0-9_]*_API_KEY")


@dataclass(frozen=True)
class Service:
    """``base``: the address without a slash at its end. ``key``: never shown; empty where none is needed."""

    base: str
    host: str
    key: str = field(repr=False)

    @property
    def here(self) -> bool:
        """Whether it is this machine."""
        return self.host in LOOPBACK


def service_at(address: str, variable: str) -> Service:
    """Raises :class:`BadParam` for an address that cannot be used, :class:`MissingKey` without trust or key."""
    base, host = checked_address(address)
    if not NAME.fullmatch(variable):
        raise BadParam(
            "The name of the variable with the key is not one that is read.",
            f"Use {DEFAULT_KEY}, another name that begins with POLYLOOM_, or one that ends in _API_KEY; never the key.",
        )
    stored = _stored(host)
    if host not in (DEFAULT_HOST, *LOOPBACK, *_trusted()) and not stored:
        raise MissingKey(
            f"Nothing is sent to {host}, because only this graph names it.",
            f"If you trust it, set the environment variable {HOSTS} to {host} and start the program again.",
        )
    key = os.environ.get(variable, "").strip() or stored
    if not key and host == DEFAULT_HOST:
        key = os.environ.get(OPENAI_KEY, "").strip()
    if not key and host not in LOOPBACK:
        raise MissingKey(
            f"There is no key for {host}.",
            f"Set the environment variable {variable} and start the program again, or put the key into the system's "
            f'key store under the service "{STORE}" and the user "{host}". It is never part of a graph.',
        )
    if not key.isascii() or not key.isprintable():
        raise MissingKey(f"The key for {host} holds characters that a key cannot have.", "Copy it again.")
    return Service(base, host, key)


def checked_address(address: str) -> tuple[str, str]:
    """(address without a slash at its end, host). Only https, and http to this machine. Raises :class:`BadParam`."""
    advice = f"Write an address such as https://{DEFAULT_HOST}/v1."
    try:
        parts = urlsplit(address.strip())
        host, _ = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise BadParam("The address cannot be read.", advice) from None
    if parts.username is not None or parts.password is not None:
        raise BadParam("The address holds a name or a password.", f"Leave it out: a key belongs into {DEFAULT_KEY}.")
    if parts.query or parts.fragment or not host or any(c.isspace() or not c.isprintable() for c in address.strip()):
        raise BadParam("The address is not one of a service.", advice)
    if parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK):
        raise BadParam("The address does not begin with https://.", f"{advice} Plain http goes to this machine only.")
    return address.strip().rstrip("/"), host


def _trusted() -> list[str]:
    return [host.strip().lower() for host in os.environ.get(HOSTS, "").split(",") if host.strip()]


def _stored(host: str) -> str:
    """From the system's key store, where the library ``keyring`` is installed; empty without it or without a key."""
    try:
        return str(importlib.import_module("keyring").get_password(STORE, host) or "").strip()
    except Exception:
        return ""
