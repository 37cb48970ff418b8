"""The store: true counting, atomic publication, damage noticed, two processes on one folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from app.engine.codec import decode, digest, encode
from app.engine.errors import BadPayload, StoreDamaged
from app.engine.payloads import Files, Image, Material, Mesh, Number, Payload, Report, Text, Views, nbytes
from app.engine.store import Store

ROOT = Path(__file__).resolve().parents[2]


def picture(size: int, grey: float = 0.5) -> Image:
    return Image.of(np.full((size, size), grey, np.float32))


def same(a: Payload, b: Payload) -> bool:
    return digest(encode(a)) == digest(encode(b))


def through(payload: Payload) -> Payload:
    return decode(b"".join(encode(payload)))


SAMPLES: tuple[Payload, ...] = (
    picture(3),
    Mesh.of(np.eye(3), [[0, 1, 2]], uv=np.zeros((3, 2), np.float32), material=Material("m", normal=picture(2))),
    Mesh.of(np.zeros((0, 3)), np.zeros((0, 3))),
    Text("žluť \u0000 𝄞"),
    Number(float("inf")),
    Report("t", (("a", 1), ("b", True), ("c", "x"), ("d", 0.1)), "fine"),
    Files.of({"a/b.bin": b"\x00\xff", "c.txt": b""}, picture(2)),
    Views((picture(2), picture(3)), np.zeros((2, 3, 3), np.float32), np.zeros((2, 4, 4), np.float32)),
)


@pytest.mark.parametrize("payload", SAMPLES, ids=lambda p: type(p).__name__)
def test_every_payload_comes_back_equal_and_read_only(payload: Payload) -> None:
    back = through(payload)
    assert type(back) is type(payload) and same(back, payload)
    if isinstance(back, Mesh) and len(back.vertices):
        with pytest.raises(ValueError, match="read-only"):
            back.vertices[0] = 1


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(4))))
def test_bits_are_kept(pixels: np.ndarray) -> None:
    back = through(Image(pixels))
    assert isinstance(back, Image) and back.pixels.tobytes() == pixels.tobytes()


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
def test_damage_is_an_error_of_the_store_and_nothing_else(at: int, junk: bytes) -> None:
    data = bytearray(b"".join(encode(SAMPLES[1])))
    at %= len(data)
    data[at : at + len(junk)] = junk
    try:
        decode(bytes(data))
        decode(bytes(data[:at]))
    except StoreDamaged:
        pass


def test_what_no_payload_can_hold_is_refused() -> None:
    with pytest.raises(BadPayload):
        encode(Text(object()))  # type: ignore[arg-type]


def test_the_memory_tier_counts_truly_and_keeps_its_budget() -> None:
    store = Store.temporary()
    store.memory_bytes = 3_000_000
    for i in range(20):
        store.publish(f"k{i}", "t", {"out": picture(256, i / 20)}, 0.0)
        assert store.memory_used() <= store.memory_bytes
    assert store.memory_used() == sum(nbytes(picture(256)) + 512 for _ in range(2))
    assert 0 <= nbytes(SAMPLES[1]) - (36 + 12 + 24 + 64) < 64
    for i in range(20):
        entry = store.lookup(f"k{i}")
        assert entry is not None
        loaded = store.load(entry.outputs["out"])
        assert isinstance(loaded, Image) and loaded.pixels[0, 0, 0] == np.float32(i / 20)
    store.close()


def test_the_disk_tier_keeps_its_limit_and_never_evicts_what_is_protected(tmp_path: Path) -> None:
    store = Store(tmp_path, disk_bytes=5_000_000)
    first = store.publish("first", "t", {"out": picture(256, 0.0)}, 0.0)
    store.protect(first.outputs.values())
    for i in range(1, 15):
        store.publish(f"k{i}", "t", {"out": picture(256, i / 20)}, 0.0)
    store.flush()
    on_disk = sum(p.stat().st_size for p in (tmp_path / "blobs").rglob("*") if p.is_file())
    assert on_disk <= 5_000_000 and store.disk_used() == on_disk
    store.release()
    assert store.has(first.outputs.values())
    old = store.lookup("k1")
    assert old is not None and not store.has(old.outputs.values())
    store.close()


def test_equal_content_is_kept_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    a = store.publish("a", "t", {"out": picture(128)}, 0.0)
    b = store.publish("b", "t", {"out": picture(128)}, 0.0)
    assert a.outputs == b.outputs and len([p for p in (tmp_path / "blobs").rglob("*") if p.is_file()]) == 1
    store.close()


def test_a_destroyed_index_is_replaced(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.publish("a", "t", {"out": picture(4)}, 0.0)
    store.close()
    for part in tmp_path.glob("index.sqlite*"):
        part.write_bytes(b"junk" * 1000)
    store = Store(tmp_path)
    assert store.lookup("a") is None
    store.publish("a", "t", {"out": picture(4)}, 0.0)
    assert store.lookup("a") is not None
    store.close()


def test_a_full_disk_keeps_the_result_in_memory_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "_write_file", full)
    entry = store.publish("a", "t", {"out": picture(128)}, 0.0)
    assert "No space left" in entry.notes[-1]
    store.release()
    found = store.lookup("a")
    assert found is not None and same(store.load(found.outputs["out"]), picture(128))
    store.close()


def test_two_processes_share_one_folder_and_a_kill_leaves_it_whole(tmp_path: Path) -> None:
    code = (
        "import sys, os, numpy as np; from pathlib import Path\n"
        "from app.engine.store import Store; from app.engine.payloads import Image\n"
        "store = Store(Path(sys.argv[1]), disk_bytes=8_000_000); me = sys.argv[2]\n"
        "for i in range(60):\n"
        "    size = 200 if i % 2 else 4\n"
        "    pixels = np.full((size, size, 4), i / 60, np.float32)\n"
        "    store.publish(f'{me}{i}', 't', {'out': Image(pixels)}, 0.0)\n"
        "    print(i, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path), me], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for me in "ab"
    ]
    said = [run.communicate(timeout=120)[0].split() for run in runs]
    assert [run.returncode for run in runs] == [-9, -9] and all(len(lines) == 60 for lines in said)
    store = Store(tmp_path, disk_bytes=8_000_000)
    loaded = 0
    for me in "ab":
        for i in range(60):
            entry = store.lookup(f"{me}{i}")
            assert entry is not None
            if store.has(entry.outputs.values()):
                payload = store.load(entry.outputs["out"])
                assert isinstance(payload, Image) and payload.pixels[0, 0, 0] == np.float32(i / 60)
                loaded += 1
    assert loaded >= 24
    store.close()
