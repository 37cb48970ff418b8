"""Weights: where they lie, what state they are in, how they come here. A real server on this machine stands in."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import main
from app.engine import weight_fetch
from app.engine.errors import BadFile, Cancelled, CannotFetch, MissingWeights
from app.engine.plan import Step, step_key
from app.engine.registry import discover
from app.engine.store import Store
from app.engine.weight_fetch import fetch
from app.engine.weight_files import file_state, import_file, needed, partial_of, path_of, place_of, snapshot_of, state
from app.engine.weights import WeightCard, WeightFile

CONTENT = bytes(range(256)) * 3000
REVISION = "0123456789abcdef0123456789abcdef01234567"


def file_of(content: bytes = CONTENT, name: str = "toy.bin") -> WeightFile:
    return WeightFile(name, len(content), hashlib.sha256(content).hexdigest())


def card_at(url: str, *files: WeightFile) -> WeightCard:
    return WeightCard("people/toy", "v1", files or (file_of(),), "MIT", "Toy licence", 0.1, name="toy", url=url)


class Server(ThreadingHTTPServer):
    """Serves CONTENT under every path, in ranges; ``content``, ``cut`` and ``fail`` make it misbehave."""

    def __init__(self) -> None:
        self.content, self.cut, self.fail, self.ranges = CONTENT, 0, 0, True
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        server = self.server
        wanted = self.headers.get("Range", "")
        server.asked.append(f"{self.command} {wanted}".strip())
        if server.fail:
            server.fail -= 1
            self.send_error(503)
            return
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted and server.ranges else 0
        data = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        self.send_header("ETag", f'"{hashlib.sha256(server.content).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if body:
            self.wfile.write(data[: server.cut] if server.cut else data)

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POLYLOOM_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "shared_hub"))
    monkeypatch.setattr(weight_fetch, "WAIT_S", 0.0)
    return tmp_path / "weights"


def test_missing_ready_damaged_partial_in_turn(tmp_path: Path) -> None:
    card = card_at("https://example.org/v1")
    assert state(card) == "missing"
    mine = tmp_path / "whatever name.pth"
    mine.write_bytes(CONTENT)
    place = import_file(card, mine)
    assert place == path_of(card, "toy.bin") == tmp_path / "weights" / "people" / "toy" / "v1" / "toy.bin"
    assert place.read_bytes() == CONTENT and state(card) == "ready"
    assert [path.name for path in place.parent.iterdir()] == ["toy.bin"]
    place.write_bytes(CONTENT[:-1] + b"?")
    assert state(card) == "damaged"
    with pytest.raises(MissingWeights, match="is damaged"):
        path_of(card, "toy.bin")
    place.write_bytes(CONTENT[:-1])
    assert state(card) == "damaged"
    place.rename(partial_of(place))
    assert state(card) == "partial"
    assert import_file(card, mine) == place and not partial_of(place).exists()


def test_missing_weights_are_told_with_size_licence_and_commands() -> None:
    card = replace(card_at("https://example.org/v1"), non_commercial=True)
    with pytest.raises(MissingWeights) as told:
        path_of(card, "toy.bin")
    assert "toy.bin" in told.value.message and "0.8 MB" in told.value.message
    assert "Toy licence, NOT FOR COMMERCIAL USE" in told.value.message
    assert "main.py weights fetch toy" in told.value.advice and "main.py weights import toy" in told.value.advice


def test_a_foreign_file_is_not_taken(tmp_path: Path) -> None:
    card = card_at("https://example.org/v1")
    (tmp_path / "toy.bin").write_bytes(CONTENT[::-1])
    with pytest.raises(BadFile, match="is no file of") as told:
        import_file(card, tmp_path / "toy.bin")
    assert card.files[0].sha256 in told.value.advice
    with pytest.raises(BadFile):
        import_file(card, tmp_path / "not there")
    assert state(card) == "missing"


def test_a_file_without_a_published_checksum_counts_by_name_and_size(tmp_path: Path) -> None:
    card = card_at("https://example.org/v1", WeightFile("sub/config.json", 2, ""))
    (tmp_path / "config.json").write_bytes(b"{}")
    assert import_file(card, tmp_path / "config.json") == place_of(card, "sub/config.json")
    assert state(card) == "ready"


def test_fetch_reports_and_is_done_once(server: Server) -> None:
    card = card_at(server.url)
    told: list[tuple[str, int, int]] = []
    (path,) = fetch(card, lambda *now: told.append(now))
    assert path.read_bytes() == CONTENT and told[-1] == ("toy.bin", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told) and len(told) > 1
    fetch(card)
    assert server.asked == ["GET"]


def test_a_broken_download_goes_on_where_it_stopped(server: Server) -> None:
    card, server.cut = card_at(server.url), 300_000
    (path,) = fetch(card)
    assert path.read_bytes() == CONTENT
    assert server.asked == ["GET", "GET bytes=300000-", "GET bytes=600000-"]


def test_cancel_keeps_what_has_come_and_a_server_without_ranges_starts_anew(server: Server) -> None:
    card = card_at(server.url)

    def stop(name: str, done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fetch(card, stop)
    assert state(card) == "partial" and partial_of(place_of(card, "toy.bin")).stat().st_size > 0
    server.ranges = False
    assert fetch(card)[0].read_bytes() == CONTENT


def test_a_passing_fault_is_tried_again_and_a_lasting_one_is_told(server: Server) -> None:
    card, server.fail = card_at(server.url), 2
    assert fetch(card)[0].is_file()
    other, server.fail = replace(card, revision="v2"), 9
    with pytest.raises(CannotFetch, match="503"):
        fetch(other)


@pytest.mark.parametrize("content", [CONTENT[::-1], CONTENT + b"more"], ids=["checksum", "length"])
def test_what_is_not_as_published_is_not_kept(server: Server, content: bytes, weights: Path) -> None:
    server.content = content
    card = card_at(server.url)
    with pytest.raises(BadFile, match="not the published file"):
        fetch(card)
    assert state(card) == "missing" and not [path for path in weights.rglob("*") if path.is_file()]


def test_offline_a_full_disk_and_a_local_address_are_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    card = card_at(server.url)
    with pytest.raises(CannotFetch, match="not a web address"):
        fetch(card, mirror="file:///etc")
    with pytest.raises(CannotFetch, match="MB more"):
        fetch(card_at(server.url, WeightFile("huge", 1 << 60, "0" * 64)))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(CannotFetch, match="HF_HUB_OFFLINE"):
        fetch(card)
    assert server.asked == []


def test_a_hub_card_goes_to_the_hub_s_own_layout_and_is_shared(server: Server, weights: Path, tmp_path: Path) -> None:
    card = replace(card_at(""), revision=REVISION)
    told: list[int] = []
    (path,) = fetch(card, lambda _, done, __: told.append(done), mirror=server.url)
    assert path == weights / "models--people--toy" / "snapshots" / REVISION / "toy.bin"
    assert path.read_bytes() == CONTENT and told[-1] == len(CONTENT)
    path.resolve().write_bytes(CONTENT[::-1])
    assert state(card) == "damaged"
    fetch(card, mirror=server.url)
    assert state(card) == "ready"
    (tmp_path / "shared_hub").parent.mkdir(exist_ok=True)
    weights.rename(tmp_path / "shared_hub")
    assert path_of(card, "toy.bin").is_relative_to(tmp_path / "shared_hub")


def test_only_the_cards_of_the_chosen_model_are_needed() -> None:
    always, small, large = (replace(card_at(""), role=role) for role in ("", "small", "large"))
    assert needed((always, small, large), {"model": "small", "tile": 3}) == (always, small)


NODE = """
from typing import Literal
from app.engine import Number, WeightCard, WeightFile, node
CARD = WeightCard("people/toy", "v1", (WeightFile("toy.bin", {size}, "{digest}"),), "MIT", "Toy licence", 0.1,
                  name="toy", url="{url}")

@node("own.toy", title="Toy", models=(CARD,))
def toy(model: Literal["a", "b"] = "a") -> Number:
    \"\"\"A toy with weights.\"\"\"
    return Number(1.0)
"""


@pytest.fixture
def nodes(server: Server, tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    text = NODE.format(size=len(CONTENT), digest=file_of().sha256, url=server.url)
    (folder / "toy.py").write_text(text)
    return folder


def test_the_command_line_shows_the_licence_and_asks(
    nodes: Path, server: Server, weights: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own = ["--nodes", str(nodes)]
    assert main.main(["weights", "fetch", "toy", *own]) == 1
    told = capsys.readouterr().err
    assert "Toy licence" in told and "--yes" in told and server.asked == []
    assert main.main(["weights", "verify", "toy", *own]) == 1
    assert main.main(["weights", "fetch", "toy", "--yes", *own]) == 0
    assert Path(capsys.readouterr().out.splitlines()[-1]).read_bytes() == CONTENT
    assert main.main(["weights", "verify", "toy", *own]) == 0
    capsys.readouterr()
    assert main.main(["weights", "list", "--json", *own]) == 0
    entry = next(e for e in json.loads(capsys.readouterr().out)["weights"] if e["name"] == "toy")
    assert (entry["state"], entry["nodes"], entry["weights_licence"]) == ("ready", ["own.toy"], "Toy licence")
    Path(entry["files"][0]["path"]).unlink()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "toy.bin").write_bytes(CONTENT)
    assert main.main(["weights", "import", "toy", str(tmp_path / "mine"), *own]) == 0
    assert main.main(["weights", "fetch", "no such", *own]) == 2


def test_the_key_covers_the_digest_of_what_is_used(nodes: Path, tmp_path: Path) -> None:
    spec = discover((), (nodes,))["own.toy"]
    store = Store(tmp_path / "store")

    def key(card: WeightCard) -> str:
        return step_key(Step("n", replace(spec, models=(card,)), {"model": "a"}, {}), {}, tmp_path, store)

    (card,) = spec.models
    other = replace(card, files=(replace(card.files[0], sha256="0" * 64),))
    assert key(card) == key(card) != key(other)
    free = replace(card, files=(WeightFile("toy.bin", 4, ""),))
    before = key(free)
    place_of(free, "toy.bin").parent.mkdir(parents=True)
    place_of(free, "toy.bin").write_bytes(b"abcd")
    first = key(free)
    place_of(free, "toy.bin").write_bytes(b"efgh")
    assert len({before, first, key(free)}) == 3
    assert file_state(free, free.files[0]) == "ready"
    store.close()


def test_a_file_known_by_its_commit_alone_counts_when_it_is_what_the_hub_named(weights: Path) -> None:
    about = WeightFile("unet/model.safetensors", 700_000, exact=False)
    small = WeightFile("config.json", 10, exact=False)
    card = WeightCard("people/net", REVISION, (about, small), "MIT", "Toy licence", 0.1)
    root = weights / "models--people--net"
    snapshot = root / "snapshots" / REVISION
    (snapshot / "unet").mkdir(parents=True)
    (root / "blobs").mkdir()
    name, text = hashlib.sha256(CONTENT).hexdigest(), b"{}"
    git_name = hashlib.sha1(b"blob 2\0" + text).hexdigest()
    (root / "blobs" / name).write_bytes(CONTENT)
    (root / "blobs" / git_name).write_bytes(text)
    (snapshot / "unet" / "model.safetensors").symlink_to(root / "blobs" / name)
    assert state(card) == "partial"
    with pytest.raises(MissingWeights, match=r"config\.json is not on this machine"):
        snapshot_of(card)
    (snapshot / "config.json").symlink_to(root / "blobs" / git_name)
    assert state(card) == "ready" and snapshot_of(card) == snapshot
    (root / "blobs" / name).write_bytes(CONTENT[:-1] + b"?")
    assert file_state(card, about) == "damaged"
    (root / "blobs" / name).write_bytes(CONTENT)
    (root / "blobs" / git_name).write_bytes(b"[]")
    assert file_state(card, small) == "damaged"
    (root / "blobs" / git_name).write_bytes(b"x" * 10_000)
    assert file_state(card, small) == "damaged", "far from the expected size"


def test_an_imported_file_of_unknown_digest_goes_by_its_name(tmp_path: Path) -> None:
    card = WeightCard("people/net", REVISION, (WeightFile("a/model.bin", 700_000, exact=False),), "MIT", "MIT", 0.1)
    mine = tmp_path / "model.bin"
    mine.write_bytes(CONTENT)
    assert import_file(card, mine).read_bytes() == CONTENT and state(card) == "ready"
    mine.rename(tmp_path / "other.bin")
    with pytest.raises(BadFile, match=r"is no file of people/net"):
        import_file(card, tmp_path / "other.bin")


def test_cards_with_several_roles_and_optional_ones() -> None:
    plain = card_at("https://example.org")
    two, spare = replace(plain, role=("a", "b")), replace(plain, optional=True)
    assert needed((two, spare), {"model": "b"}) == (two,) and needed((two, spare), {"model": "c"}) == ()


def test_only_the_chosen_weights_are_part_of_a_key(tmp_path: Path) -> None:
    """What is fetched for another choice leaves yesterday's results as they are."""
    spec = discover(("nodes",))["image.upscale"]
    cards = tuple(replace(card_at(f"https://example.org/{n}", WeightFile(n, len(CONTENT))), role=n) for n in "ab")
    spec = replace(spec, models=cards)
    store, settings = Store(tmp_path / "store"), {p.name: p.default for p in spec.params} | {"model": "a"}

    def key(driven: bool = False) -> str:
        return step_key(Step("n", spec, settings, {}), {"model": "0"} if driven else {}, tmp_path, store)

    before, open_before = key(), key(driven=True)
    (tmp_path / "b").write_bytes(CONTENT)
    import_file(cards[1], tmp_path / "b")
    assert key() == before and key(driven=True) != open_before
    (tmp_path / "a").write_bytes(CONTENT)
    import_file(cards[0], tmp_path / "a")
    assert key() != before
    store.close()
