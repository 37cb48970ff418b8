"""Weights: where they lie, what state they are in, how they come here. A real server on this machine stands in."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from weight_server import CONTENT, REVISION, Server, card_at, file_of, serving

import main
from app.engine import weight_fetch, weight_places
from app.engine.errors import BadFile, Cancelled, CannotFetch, CannotWrite, MissingWeights
from app.engine.plan import Step, step_key
from app.engine.registry import discover
from app.engine.store import Store
from app.engine.weight_fetch import fetch
from app.engine.weight_files import file_state, import_file, needed, partial_of, path_of, place_of, snapshot_of, state
from app.engine.weights import WeightCard, WeightFile


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


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
    assert "File > Models" in told.value.advice


def test_what_a_killed_copy_left_behind_goes_with_the_next_one(tmp_path: Path) -> None:
    card = card_at("https://example.org/v1")
    (tmp_path / "mine").write_bytes(CONTENT)
    place = place_of(card, "toy.bin")
    place.parent.mkdir(parents=True)
    old, fresh = (place.with_name(f".toy.bin.{mark}") for mark in ("0123abcd", "4567abcd"))
    for left in (old, fresh):
        left.write_bytes(CONTENT[:99])
    os.utime(old, (1, 1))
    import_file(card, tmp_path / "mine")
    assert place.is_file() and fresh.is_file() and not old.exists()


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


def test_a_hub_download_goes_on_where_it_stopped_and_is_named_by_its_content(server: Server, weights: Path) -> None:
    """The hub's own library starts anew each time; a model of several gigabytes must not."""
    about = WeightFile("unet/model.bin", round(1.1 * len(CONTENT)), exact=False)
    card = replace(card_at("", about), revision=REVISION)

    def stop(name: str, done: int, total: int) -> None:
        assert (name, total) == ("unet/model.bin", len(CONTENT))
        raise Cancelled

    with pytest.raises(Cancelled):
        fetch(card, stop, mirror=server.url)
    came = partial_of(place_of(card, about.name)).stat().st_size
    assert state(card) == "partial" and 0 < came < len(CONTENT)
    (path,) = fetch(card, mirror=server.url)
    assert server.asked == ["HEAD", "GET", "HEAD", f"GET bytes={came}-"]
    blob = weights / "models--people--toy" / "blobs" / file_of().sha256
    assert path.read_bytes() == CONTENT and path.resolve() == blob and state(card) == "ready"
    assert [p.name for p in path.parent.iterdir()] == ["model.bin"]


def test_what_the_hub_s_own_library_fetched_is_found_and_the_other_way_round(server: Server, weights: Path) -> None:
    from huggingface_hub import try_to_load_from_cache

    card = replace(card_at(""), revision=REVISION)
    (path,) = fetch(card, mirror=server.url)
    assert try_to_load_from_cache("people/toy", "toy.bin", weights, REVISION) == str(path)


def test_a_hub_file_that_is_another_one_is_not_kept(server: Server, weights: Path) -> None:
    server.content = CONTENT[::-1]
    card = replace(card_at(""), revision=REVISION)
    with pytest.raises(BadFile, match="not the published file"):
        fetch(card, mirror=server.url)
    assert state(card) == "missing" and not [path for path in weights.rglob("*") if path.is_file()]


def test_a_release_whose_size_is_only_about_known_takes_what_the_server_announces(server: Server) -> None:
    card = card_at(server.url, WeightFile("toy.bin", round(0.9 * len(CONTENT)), exact=False))
    server.cut = 300_000
    assert fetch(card)[0].read_bytes() == CONTENT and state(card) == "ready"
    other = replace(card, revision="v2")
    partial_of(place_of(other, "toy.bin")).parent.mkdir(parents=True)
    partial_of(place_of(other, "toy.bin")).write_bytes(CONTENT)
    assert fetch(other)[0].read_bytes() == CONTENT, "all of it had come before"


def test_a_long_download_may_break_off_often_as_long_as_something_comes(server: Server) -> None:
    card, server.cut = card_at(server.url), 100_000
    assert fetch(card)[0].read_bytes() == CONTENT and len(server.asked) == 8


def test_the_chosen_folder_counts_on_the_command_line_too_unless_the_environment_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLYLOOM_HOME", str(tmp_path / "home"))
    weight_places.choose_folder(tmp_path / "big disk")
    assert weight_places.folder() == tmp_path / "weights" and weight_places.folder_is_decided()
    monkeypatch.delenv("POLYLOOM_WEIGHTS")
    assert weight_places.folder() == weight_places.hub_target() == tmp_path / "big disk"
    assert main.main(["weights", "list", "--json"]) == 0
    entry = next(e for e in json.loads(capsys.readouterr().out)["weights"] if e["name"] == "realesrgan-x4plus")
    assert Path(entry["files"][0]["path"]).is_relative_to(tmp_path / "big disk")
    weight_places.choose_folder(None)
    assert weight_places.folder() == tmp_path / "home" / "weights"
    (tmp_path / "a file").write_text("")
    with pytest.raises(CannotWrite, match="cannot be made"):
        weight_places.choose_folder(tmp_path / "a file" / "x")


def test_only_the_cards_of_the_chosen_model_are_needed() -> None:
    always, small, large = (replace(card_at(""), role=role) for role in ("", "small", "large"))
    assert needed((always, small, large), {"model": "small", "tile": 3}) == (always, small)


NODE = """
from typing import Literal
from app.engine import Number, WeightCard, WeightFile, node
from app.engine.weight_files import path_of
CARD = WeightCard("people/toy", "v1", (WeightFile("toy.bin", {size}, "{digest}"),), "MIT", "Toy licence", 0.1,
                  name="toy", url="{url}")

@node("own.toy", title="Toy", models=(CARD,))
def toy(model: Literal["a", "b"] = "a") -> Number:
    \"\"\"A toy with weights.\"\"\"
    path_of(CARD, "toy.bin")
    return Number(1.0)

@node("own.plain", title="Plain")
def plain() -> Number:
    return Number(2.0)

@node("own.after", title="After")
def after(number: Number) -> Number:
    return Number(number.value + 1)
"""


GRAPH = """{"format": 1, "app": "polyloom", "links": [["a", "out", "b", "number"], ["c", "out", "d", "number"]],
"frames": [], "view": {}, "nodes": [
{"id": "a", "type": "own.toy", "version": 1, "at": [0, 0], "params": {"model": "a"}, "title": "", "bypass": false},
{"id": "b", "type": "own.after", "version": 1, "at": [0, 0], "params": {}, "title": "", "bypass": false},
{"id": "c", "type": "own.plain", "version": 1, "at": [0, 0], "params": {}, "title": "", "bypass": false},
{"id": "d", "type": "own.after", "version": 1, "at": [0, 0], "params": {}, "title": "", "bypass": false}]}"""


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


def test_missing_weights_are_a_remark_before_the_run_and_block_only_what_needs_them(
    nodes: Path, server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "g.graph").write_text(GRAPH)
    own = [str(tmp_path / "g.graph"), "--nodes", str(nodes), "--store", str(tmp_path / "store")]
    assert main.main(["check", *own]) == 0
    told = capsys.readouterr().out
    assert "nothing is wrong" in told and "own.toy (a): people/toy is not on this machine (0.8 MB" in told
    assert main.main(["plan", *own]) == 0
    assert 'Get it with "main.py weights fetch toy"' in capsys.readouterr().out
    for command in ("plan", "check"):
        assert main.main([command, "--json", *own]) == 0
        found = json.loads(capsys.readouterr().out)
        (remark,) = found["remarks"]
        assert found["problems"] == [] and (remark["node"], remark["kind"]) == ("a", "missing-weights")
        assert (remark["name"], remark["state"], remark["bytes"]) == ("toy", "missing", len(CONTENT))
    report = tmp_path / "report.json"
    run = ["run", *own, "--in-process", "--out", str(tmp_path / "out"), "--report", str(report)]
    assert main.main(run) == 1
    done = json.loads(report.read_text())
    assert {id: node["state"] for id, node in done["nodes"].items()} == {
        "a": "failed", "b": "blocked", "c": "ran", "d": "ran"
    }  # fmt: skip
    assert done["nodes"]["a"]["error"]["kind"] == "missing-weights" and server.asked == []
    assert main.main(["weights", "fetch", "toy", "--yes", "--nodes", str(nodes)]) == 0
    assert main.main(run) == 0
    capsys.readouterr()
    assert main.main(["plan", "--json", *own]) == 0 and json.loads(capsys.readouterr().out)["remarks"] == []


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
