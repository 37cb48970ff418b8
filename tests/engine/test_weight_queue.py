"""The queue of downloads: one at a time, off the caller's thread, stopped and resumed without losing a byte."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from weight_server import CONTENT, Server, card_at, file_of, serving

from app.engine import weight_fetch, weight_queue
from app.engine.weight_files import import_file, partial_of, path_of, place_of, state
from app.engine.weight_queue import Download, WeightQueue
from app.engine.weights import WeightCard, WeightFile


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def changes() -> list[str]:
    return []


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: list[str], server: Server) -> Iterator[WeightQueue]:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setattr(weight_fetch, "WAIT_S", 0.0)
    monkeypatch.setattr(weight_fetch, "BLOCK", 50_000)
    monkeypatch.setattr(weight_queue, "TELL_EVERY_S", 0.0)
    made = WeightQueue(lambda: changes.append(threading.current_thread().name))
    yield made
    server.gate.set()
    made.close()


def until(true: Callable[[], object]) -> None:
    late = time.monotonic() + 20
    while not true():
        assert time.monotonic() < late, "it took too long"
        time.sleep(0.002)


def entry(queue: WeightQueue, handle: str = "toy") -> Download:
    found = queue.entry(handle)
    assert found is not None
    return found


def named(server: Server, name: str) -> WeightCard:
    return replace(card_at(server.url), name=name, revision=name)


def test_a_download_tells_how_far_it_is_and_ends_ready(server: Server, queue: WeightQueue, changes: list[str]) -> None:
    card = card_at(server.url)
    server.gate.clear()
    queue.add(card)
    until(lambda: entry(queue).done >= 300_000 - 50_000)
    running = entry(queue)
    assert running.state == "running" and 0 < running.fraction < 1 and running.total == len(CONTENT)
    assert queue.pending == (running,)
    server.gate.set()
    until(lambda: entry(queue).state == "done")
    assert path_of(card, "toy.bin").read_bytes() == CONTENT and entry(queue).fraction == 1.0
    assert "weights" in changes, "told from the thread of the downloads, too"
    queue.forget_ended()
    assert queue.entries == ()


def test_pause_keeps_what_has_come_and_going_on_asks_only_for_the_rest(server: Server, queue: WeightQueue) -> None:
    card = card_at(server.url)
    server.gate.clear()
    queue.add(card)
    until(lambda: entry(queue).done >= 250_000)
    queue.pause("toy")
    assert entry(queue).state == "paused" and queue.pending == ()
    server.gate.set()
    until(lambda: queue._thread is None)
    came = partial_of(place_of(card, "toy.bin")).stat().st_size
    assert entry(queue).state == "paused" and entry(queue).done == came > 0 and state(card) == "partial"
    queue.add(card)
    until(lambda: entry(queue).state == "done")
    assert server.asked == ["GET", f"GET bytes={came}-"]
    assert path_of(card, "toy.bin").read_bytes() == CONTENT


def test_one_runs_the_rest_waits_in_order_and_one_that_waits_can_be_taken_off(
    server: Server, queue: WeightQueue
) -> None:
    server.gate.clear()
    for name in ("a", "b", "c"):
        queue.add(named(server, name))
    queue.add(named(server, "a"))
    until(lambda: entry(queue, "a").state == "running")
    assert [(e.card.handle, e.state) for e in queue.entries] == [("a", "running"), ("b", "waiting"), ("c", "waiting")]
    queue.pause("b")
    queue.remove("c")
    server.gate.set()
    until(lambda: entry(queue, "a").state == "done")
    until(lambda: queue._thread is None)
    assert [(e.card.handle, e.state) for e in queue.entries] == [("a", "done"), ("b", "paused")]
    assert len(server.asked) == 1


def test_asked_for_again_while_it_still_stops_it_goes_on_after_that(server: Server, queue: WeightQueue) -> None:
    card = card_at(server.url)
    server.gate.clear()
    queue.add(card)
    until(lambda: entry(queue).done >= 250_000)
    queue.pause("toy")
    queue.add(card)
    assert entry(queue).state == "waiting"
    server.gate.set()
    until(lambda: entry(queue).state == "done")
    assert path_of(card, "toy.bin").read_bytes() == CONTENT


def test_what_is_not_as_published_fails_in_words_and_the_next_one_goes_on(server: Server, queue: WeightQueue) -> None:
    wrong = replace(card_at(server.url, WeightFile("toy.bin", len(CONTENT), "0" * 64)), name="wrong")
    queue.add(wrong)
    queue.add(card_at(server.url))
    until(lambda: entry(queue).state == "done")
    failed = entry(queue, "wrong")
    assert failed.state == "failed" and "not the published file" in failed.words and "another mirror" in failed.words
    assert state(card_at(server.url)) == "ready"


def test_a_fault_is_told_and_another_try_takes_up_what_came(server: Server, queue: WeightQueue) -> None:
    card, server.fail = card_at(server.url), 9
    queue.add(card)
    until(lambda: entry(queue).state == "failed")
    assert "503" in entry(queue).words and "mirror" in entry(queue).words
    server.fail = 0
    queue.add(card)
    until(lambda: entry(queue).state == "done")
    assert entry(queue).words == ""


def test_a_mirror_is_asked_instead(server: Server, queue: WeightQueue) -> None:
    card = card_at("http://127.0.0.1:9/nobody")
    queue.add(card, f"{server.url}/mirror")
    until(lambda: entry(queue).state == "done")
    assert server.paths == ["/mirror/toy.bin"]


def test_offline_is_said_and_nothing_is_asked(
    server: Server, queue: WeightQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    queue.add(card_at(server.url))
    until(lambda: entry(queue).state == "failed")
    assert "HF_HUB_OFFLINE" in entry(queue).words and server.asked == []


def test_several_files_count_together_and_those_that_are_here_are_not_fetched(
    server: Server, queue: WeightQueue, tmp_path: Path
) -> None:
    other = b"small"
    card = card_at(server.url, file_of(other, "small.txt"), file_of())
    (tmp_path / "small.txt").write_bytes(other)
    import_file(card, tmp_path / "small.txt")
    server.gate.clear()
    queue.add(card)
    until(lambda: entry(queue).done >= 250_000)
    assert entry(queue).total == len(CONTENT) + len(other) and entry(queue).done % 50_000 == len(other)
    server.gate.set()
    until(lambda: entry(queue).state == "done")
    assert server.paths == ["/toy.bin"]


def test_closing_stops_the_download_and_starts_no_other(server: Server, queue: WeightQueue) -> None:
    card = card_at(server.url)
    server.gate.clear()
    queue.add(card)
    queue.add(named(server, "b"))
    until(lambda: entry(queue).done >= 250_000)
    threading.Timer(0.05, server.gate.set).start()
    queue.close(wait_s=10)
    assert state(card) == "partial" and len(server.asked) == 1
    queue.add(card)
    assert queue._thread is None, "a closed queue starts nothing"
