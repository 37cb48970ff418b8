"""Picture service against a real server on this machine that behaves like the API, at its best and at its worst."""

from __future__ import annotations

import base64
import email
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app.engine import BadInput, BadParam, Cancelled, Image, Mask, MissingKey, Run, ServiceFailed
from app.engine.report import NodeResult
from app.engine.script import Workspace
from nodes.generate._service import http
from nodes.generate._service.address import DEFAULT_KEY, Service, service_at
from nodes.generate._service.images_api import pause, refusal
from nodes.generate.service import service

KEY = "sk-test-0123456789-secret"
RED = np.full((6, 8, 3), (200, 30, 10), np.uint8)


def png(rgb: np.ndarray = RED) -> bytes:
    return bytes(cv2.imencode(".png", np.ascontiguousarray(rgb[..., ::-1]))[1])


def good(*pictures: bytes, **more: Any) -> tuple[int, dict[str, str], bytes]:
    data = [{"b64_json": base64.b64encode(p).decode()} for p in pictures]
    return 200, {"Content-Type": "application/json"}, json.dumps({"data": data, **more}).encode()


def trouble(status: int, code: str = "", message: str = "", **headers: str) -> tuple[int, dict[str, str], bytes]:
    return status, headers, json.dumps({"error": {"code": code, "message": message}}).encode()


Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Api:
    """``replies``: one after the other, the last for ever. ``asked``: what came in: method, path, headers, body."""

    address: str = ""
    replies: list[Reply | Callable[[], Reply]] = field(default_factory=lambda: [good(png())])
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    def fields(self, number: int = -1) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.asked[number][3])
        return found


def serving() -> Iterator[Api]:
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            api.asked.append((self.command, self.path, dict(self.headers), body))
            reply = api.replies.pop(0) if len(api.replies) > 1 else api.replies[0]
            status, headers, content = reply() if callable(reply) else reply
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = answer

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    api.address = f"http://127.0.0.1:{server.server_port}/v1"
    yield api
    server.shutdown()
    thread.join()
    server.server_close()


api = pytest.fixture(serving, name="api")
other = pytest.fixture(serving, name="other")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DEFAULT_KEY, KEY)


def test_words_become_pictures(api: Api) -> None:
    green = np.full((4, 4, 3), (10, 200, 30), np.uint8)
    api.replies = [good(png(), png(green), usage={"total_tokens": 4160})]
    run = Run()
    made = service(run, None, None, "a chair", api.address, "m-1", "1536x1024", 2, more='{"quality": "high"}')
    assert np.array_equal(np.rint(made.out.rgb * 255), RED) and made.out.space == "srgb"
    assert len(made.all.images) == 2 and np.array_equal(np.rint(made.all.images[1].rgb * 255), green)
    (method, path, headers, _), *rest = api.asked
    assert (method, path, rest) == ("POST", "/v1/images/generations", [])
    assert headers["Authorization"] == f"Bearer {KEY}" and headers["Content-Type"] == "application/json"
    assert api.fields() == {"model": "m-1", "prompt": "a chair", "n": 2, "size": "1536x1024", "quality": "high"}
    assert "4,160 tokens" in " ".join(run.notes)
    service(Run(), address=api.address + "/", answer="inside the answer", size="")
    assert api.fields()["response_format"] == "b64_json" and "size" not in api.fields()


def parts(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    """A form, read by the standard library's own reader."""
    message = email.message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
    return {
        p.get_param("name", header="content-disposition"): p.get_payload(decode=True) for p in message.get_payload()
    }


def test_a_picture_and_its_mask_are_sent_as_a_form(api: Api) -> None:
    pixels = np.random.default_rng(1).random((6, 8, 4), np.float32)
    inside = np.zeros((6, 8), np.float32)
    inside[:3] = 1
    service(Run(), Image(pixels), Mask(inside), "grün\r\n--x", api.address, "m")
    _, path, headers, body = api.asked[0]
    form = parts(headers, body)
    assert path == "/v1/images/edits" and form["prompt"].decode() == "grün\r\n--x" and form["n"] == b"1"
    sent = cv2.imdecode(np.frombuffer(form["image"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(sent[..., [2, 1, 0, 3]], np.rint(pixels * 255))
    mask = cv2.imdecode(np.frombuffer(form["mask"], np.uint8), cv2.IMREAD_UNCHANGED)[..., 3]
    assert (mask[:3] == 0).all() and (mask[3:] == 255).all(), "clear is what is made anew"
    with pytest.raises(BadInput, match="no picture"):
        service(Run(), None, Mask(inside), "x", api.address)


def test_pictures_that_lie_elsewhere_are_fetched_without_the_key(api: Api, other: Api) -> None:
    there = other.address + "/store/1?sig=abc"
    item = {"url": f"{api.address}/files/1", "revised_prompt": "A chair."}
    api.replies = [(200, {}, json.dumps({"data": [item]}).encode()), (302, {"Location": there}, b"")]
    other.replies = [(200, {}, png())]
    run = Run()
    assert service(run, address=api.address).out.size == (8, 6)
    assert [path for _, path, _, _ in api.asked] == ["/v1/images/generations", "/v1/files/1"]
    assert other.asked[0][1] == "/v1/store/1?sig=abc"
    for _, _, headers, _ in (api.asked[1], other.asked[0]):
        assert KEY not in str(headers) and "Authorization" not in headers
    assert "A chair." in " ".join(run.notes)
    for place in ("http://example.com/1.png", "file:///etc/passwd", "ftp://127.0.0.1/x", "https:///x"):
        api.replies = [(200, {}, json.dumps({"data": [{"url": place}]}).encode())]
        with pytest.raises(ServiceFailed, match="not fetched from"):
            service(Run(), address=api.address)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_request_with_the_key_is_never_sent_on_to_another_place(api: Api, other: Api, status: int) -> None:
    api.replies = [(status, {"Location": other.address}, b"")]
    with pytest.raises(ServiceFailed, match="elsewhere"):
        service(Run(), address=api.address)
    assert other.asked == [] and len(api.asked) == 1


def test_passing_trouble_is_waited_out_as_the_service_asks(api: Api) -> None:
    api.replies = [trouble(429, "rate_limit", Retry_After="0"), trouble(503, Retry_After="0.05"), good(png())]
    told: list[str] = []
    service(Run(lambda _, note: told.append(note)), address=api.address)
    assert len(api.asked) == 3 and any("next try" in note for note in told)
    api.replies = [trouble(500, Retry_After="0")]
    api.asked.clear()
    with pytest.raises(ServiceFailed, match="has a fault"):
        service(Run(), address=api.address)
    assert len(api.asked) == 5
    api.replies = [trouble(429, Retry_After="50")]
    with pytest.raises(ServiceFailed, match="too many requests"):
        service(Run(), address=api.address, time_limit=10)
    assert [pause(None, n) for n in range(3)] == [1, 2, 4]
    later = http.Answer(429, {"retry-after": "Fri, 31 Dec 2100 23:59:59 GMT"}, b"")
    assert pause(later, 0) == 60 and pause(http.Answer(429, {"retry-after": "nan"}, b""), 0) == 60


REFUSALS = {
    "key": (trouble(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"), "does not accept the key"),
    "quota": (trouble(429, "insufficient_quota", "You exceeded your current quota"), "no credit left"),
    "credit": (trouble(402), "no credit left"),
    "content": (trouble(400, "content_policy_violation", "Your request was rejected"), "refuses this content"),
    "moderation": (trouble(400, "moderation_blocked"), "refuses this content"),
    "forbidden": (trouble(403, message="not verified"), "does not permit this"),
    "address": ((404, {}, b"<html>nothing here</html>"), "does not know this address"),
    "size": (trouble(400, "invalid_value", "Invalid size " + KEY + " " + "x" * 900), "cannot do this"),
    "not json": ((200, {}, b"<html>welcome</html>"), "holds no pictures"),
    "not pictures": ((200, {}, b'{"data": []}'), "holds no pictures"),
    "odd": ((200, {}, b'{"data": [7]}'), "holds no picture"),
    "not base64": ((200, {}, b'{"data": [{"b64_json": "???"}]}'), "cannot be read"),
    "not a picture": (good(b"hello, this is a letter"), "no picture"),
    "cut": (good(png()[:40]), "no picture"),
    "short": ((200, {"Content-Length": "4000"}, b"{}"), "broke the connection off"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_and_every_nonsense_is_told_in_words_and_once(api: Api, name: str) -> None:
    reply, words = REFUSALS[name]
    api.replies = [reply]
    with pytest.raises(ServiceFailed, match=words) as told:
        service(Run(), address=api.address, time_limit=10)
    assert KEY not in f"{told.value.message} {told.value.advice} {told.value!r}" and len(told.value.message) < 450
    assert told.value.advice and len(api.asked) == 1


def test_an_answer_without_end_is_not_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_BYTES", 200_000)
    api.replies = [(200, {}, b" " * 400_000)]
    with pytest.raises(ServiceFailed, match="sent more than"):
        service(Run(), address=api.address)


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "picture-service"]


def gone(limit: float = 5.0) -> bool:
    until = time.monotonic() + limit
    while threads() and time.monotonic() < until:
        time.sleep(0.01)
    return not threads()


def test_cancel_and_the_time_limit_act_while_the_service_thinks(api: Api) -> None:
    thinking, free = threading.Event(), threading.Event()

    def slow() -> Reply:
        thinking.set()
        free.wait(20)
        return good(png())

    api.replies = [slow]
    run = Run()
    threading.Thread(target=lambda: (thinking.wait(20), run.stop.set())).start()
    with pytest.raises(Cancelled):
        service(run, address=api.address)
    assert gone(), "nothing waits on"
    with pytest.raises(ServiceFailed, match="no answer within"):
        service(Run(), address=api.address, time_limit=0.3)
    assert gone()
    free.set()
    api.replies = [trouble(429, Retry_After="30")]
    run = Run(lambda _, note: run.stop.set() if "next try" in note else None)
    with pytest.raises(Cancelled):
        service(run, address=api.address)


def test_a_service_that_is_not_there_is_named() -> None:
    with pytest.raises(ServiceFailed, match=r"127\.0\.0\.1 cannot be reached"):
        service(Run(), address="http://127.0.0.1:9/v1", time_limit=1.5)


def test_no_file_no_log_and_no_report_holds_the_key(api: Api, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def asked(take: int) -> NodeResult:
        work = Workspace(service, packages=(), store=tmp_path / "store", out=tmp_path / "out", device="cpu")
        made = work.add("generate.service", address=api.address, take=take)
        work.save(tmp_path / f"{take}.graph")
        return work.run().report.nodes[made.node_id]

    assert asked(1).state == "ran" and len(api.asked) == 1
    assert asked(1).state == "reused" and len(api.asked) == 1, "not paid twice"
    assert asked(2).state == "ran" and len(api.asked) == 2
    api.replies = [trouble(401, "invalid_api_key", f"Incorrect API key provided: {KEY}")]
    failed = asked(3)
    assert failed.state == "failed"
    assert KEY not in repr(failed) and KEY not in caplog.text and KEY not in repr(Service("b", "h", KEY))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert written and all(KEY.encode() not in path.read_bytes() for path in written)
    assert DEFAULT_KEY.encode() in (tmp_path / "1.graph").read_bytes(), "only where to find it"


def test_a_graph_alone_cannot_send_a_key_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(MissingKey, match=r"evil\.example, because only this graph") as told:
        service(Run(), address="https://evil.example/v1")
    assert "POLYLOOM_SERVICE_HOSTS" in told.value.advice and KEY not in str(told.value)
    monkeypatch.setenv("POLYLOOM_SERVICE_HOSTS", "good.example, Images.example")
    assert service_at("https://images.example/v1/", DEFAULT_KEY) == Service(
        "https://images.example/v1", "images.example", KEY
    )
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    for name in ("AWS_SECRET_ACCESS_KEY", "PATH", KEY, ""):
        with pytest.raises(BadParam) as wrong:
            service_at("https://good.example", name)
        assert KEY not in f"{wrong.value.message} {wrong.value.advice}"
    monkeypatch.delenv(DEFAULT_KEY)
    with pytest.raises(MissingKey, match="no key") as told:
        service_at("https://good.example/v1", DEFAULT_KEY)
    assert DEFAULT_KEY in told.value.advice
    monkeypatch.setenv("OPENAI_API_KEY", "open")
    assert service_at("https://api.openai.com/v1", DEFAULT_KEY).key == "open"
    with pytest.raises(MissingKey):
        service_at("https://good.example/v1", DEFAULT_KEY)
    (tmp_path / "keyring.py").write_text(
        "def get_password(service, user):\n    return {('polyloom', 'kept.example'): 'safe'}.get((service, user))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "keyring", raising=False)
    assert service_at("https://kept.example/v1", DEFAULT_KEY).key == "safe"
    monkeypatch.delitem(__import__("sys").modules, "keyring", raising=False)


def test_only_addresses_that_keep_a_secret_are_used() -> None:
    for address in ("http://api.openai.com/v1", "ftp://localhost", "https://me:pw@api.openai.com", "", "https://",
                    "https://api.openai.com/v1?x=1", "http://127.0.0.1.evil.example/", "https://a b/", "javascript:1",
                    "https://[::1", "https://api.openai.com:99999999"):  # fmt: skip
        with pytest.raises((BadParam, MissingKey)) as told:
            service_at(address, DEFAULT_KEY)
        assert told.value.advice and "pw" not in told.value.message
    assert service_at("http://localhost:1234/v1", DEFAULT_KEY).key == KEY
    assert "no credit" in refusal(http.Answer(402, {}, b""), Service("", "h", "")).message


def test_it_asks_nobody_without_words_and_without_sense(api: Api) -> None:
    for wrong in ({"prompt": "  "}, {"more": "{"}, {"more": "[1]"}):
        with pytest.raises(BadInput) as told:
            service(Run(), address=api.address, **wrong)
        assert told.value.advice
    nan = np.full((4, 4, 4), np.nan, np.float32)
    with pytest.raises(BadInput, match="not numbers"):
        service(Run(), Image(nan), address=api.address)
    assert api.asked == []
