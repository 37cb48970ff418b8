"""Memory stays level over many runs; the disk tier keeps what a run needs; damage is noticed and made good."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import pytest
from helpers import Bench, calls, graph_of, states

from app.engine.codec import digest, encode
from app.engine.graph import Graph
from app.engine.payloads import Image, nbytes
from app.engine.store import Store

MEGABYTE = 1 << 20


def assets(log: Path | str = "", seed: int = 0, side: int = 896, rows: int = 256) -> Graph:
    """A picture and a mesh, 14 MB as they are, and a node that takes both."""
    return graph_of(
        ("a", "asset", {"side": side, "rows": rows, "seed": seed}), ("m", "measure", {"log": str(log)}),
        links=(("a", "image", "m", "image"), ("a", "mesh", "m", "mesh")),
    )  # fmt: skip


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc to look")
@pytest.mark.parametrize("change", [True, False], ids=["new results each time", "everything reused"])
def test_fifty_runs_stay_within_a_twentieth_of_the_memory_after_five(tmp_path: Path, change: bool) -> None:
    """The budgets are small, so that every run fills them anew. Both processes are counted: the window loads each
    result, as the viewer does."""
    budgets = {"memory_bytes": 30 * MEGABYTE, "reader_bytes": 30 * MEGABYTE, "disk_bytes": 100 * MEGABYTE}
    with Bench(tmp_path, in_process=False, **budgets) as bench:

        def run(number: int) -> None:
            report = bench.run(assets(seed=number if change else 0))
            assert report.status == "ok"
            size = nbytes(bench.value(report, "a", "image")) + nbytes(bench.value(report, "a", "mesh"))
            assert 14 * MEGABYTE < size < 20 * MEGABYTE
            bench.events.clear()
            bench._reports.clear()

        def held() -> tuple[int, int]:
            gc.collect()
            return resident(bench.worker._backend._child.process.pid), resident(os.getpid())  # type: ignore[union-attr]

        for number in range(5):
            run(number)
        after_five = held()
        for number in range(5, 52):
            run(number)
        last = []
        for number in range(52, 55):
            run(number)
            last.append(held())
        after_all = min(worker for worker, _ in last), min(window for _, window in last)
    for name, before, after in zip(("worker", "window"), after_five, after_all, strict=True):
        assert after <= before * 1.05, f"{name}: {before / MEGABYTE:.1f} MB, then {after / MEGABYTE:.1f} MB"


def test_the_disk_tier_never_evicts_what_the_running_job_needs(tmp_path: Path) -> None:
    """Twelve pictures that together pass the limit many times over wait for one node; none is made twice."""
    nodes = [(f"p{i}", "asset", {"side": 128, "rows": 2, "seed": i}) for i in range(12)]
    sums = [(f"m{i}", "measure", {"log": str(tmp_path / "measured")}) for i in range(12)]
    links = tuple((f"p{i}", socket, f"m{i}", socket) for i in range(12) for socket in ("image", "mesh"))
    graph = graph_of(*nodes, *sums, links=links)
    with Bench(tmp_path, memory_bytes=MEGABYTE // 8, disk_bytes=MEGABYTE) as bench:
        assert bench.run(graph).status == "ok"
        started = [event.node_id for event in bench.events if type(event).__name__ == "Started"]
        assert len(started) == len(set(started)) == 24 and calls(tmp_path / "measured") == 12
        assert bench.worker.store.disk_used() <= MEGABYTE
        assert set(states(bench.run(graph)).values()) == {"reused"}


def test_a_result_larger_than_both_tiers_still_reaches_the_next_node(tmp_path: Path) -> None:
    with Bench(tmp_path, memory_bytes=1000, disk_bytes=MEGABYTE) as bench:
        report = bench.run(assets(tmp_path / "log"))
        assert states(report) == {"a": "ran", "m": "ran"} and calls(tmp_path / "log") == 1
        assert bench.worker.store.disk_used() <= MEGABYTE


def test_damage_is_noticed_and_made_good_when_a_later_step_needs_it(tmp_path: Path) -> None:
    graph = assets(tmp_path / "log")
    with Bench(tmp_path) as bench:
        first = bench.run(graph)
        wanted = digest(encode(bench.value(first, "a", "mesh")))
    for blob in (tmp_path / "store" / "blobs").glob("*/*"):
        data = bytearray(blob.read_bytes())
        data[len(data) // 2] ^= 1
        blob.write_bytes(data)
    with Bench(tmp_path, in_process=False) as bench:
        assert states(bench.run(graph)) == {"a": "reused", "m": "reused"}, "nobody needs the damaged bytes yet"
        other = graph.with_params("m", log=str(tmp_path / "log2"))
        again = bench.run(other)
        assert again.status == "ok" and states(again) == {"a": "ran", "m": "ran"}
        assert digest(encode(bench.value(again, "a", "mesh"))) == wanted
        assert bench.value(again, "m").value == bench.value(first, "m").value


def test_a_blob_cut_short_or_gone_is_made_again(tmp_path: Path) -> None:
    graph = assets(tmp_path / "log")
    spoils = (lambda p: p.unlink(), lambda p: p.write_bytes(b""), lambda p: p.write_bytes(p.read_bytes()[:1000]))
    for number, spoil in enumerate(spoils):
        with Bench(tmp_path) as bench:
            bench.run(graph)
        for blob in (tmp_path / "store" / "blobs").glob("*/*"):
            spoil(blob)
        with Bench(tmp_path) as bench:
            report = bench.run(graph.with_params("m", log=str(tmp_path / f"other{number}")))
            assert states(report) == {"a": "ran", "m": "ran"}


def test_a_maker_that_gives_something_else_the_second_time_is_not_stored_under_the_old_name(tmp_path: Path) -> None:
    graph = graph_of(("d", "dice", {}), ("z", "measure", {"log": str(tmp_path / "log")}),
                     links=(("d", "image", "z", "image"), ("d", "mesh", "z", "mesh")))  # fmt: skip
    with Bench(tmp_path) as bench:
        bench.run(graph, targets=("d",))
        bench.worker.store.release()
        for blob in (tmp_path / "store" / "blobs").glob("*/*"):
            blob.unlink()
        report = bench.run(graph)
        assert states(report) == {"d": "ran", "z": "ran"}
        image = bench.value(report, "d", "image")
        assert bench.value(report, "z").value == pytest.approx(float(image.pixels.mean()) + 2 / 3, abs=1e-6)
        assert states(bench.run(graph)) == {"d": "reused", "z": "reused"}


def test_two_workers_on_one_folder_that_evicts_all_the_time(tmp_path: Path) -> None:
    """Two windows: each evicts what the other may be about to read; every result is right all the same."""
    small = {"memory_bytes": MEGABYTE // 8, "disk_bytes": MEGABYTE}
    benches = [Bench(tmp_path, in_process=False, **small) for _ in range(2)]
    wrong: list[str] = []

    def work(bench: Bench, offset: int) -> None:
        for number in range(25):
            seed = (number + offset) % 7
            report = bench.run(assets(seed=seed, side=160, rows=8))
            again = bench.run(assets(tmp_path / "x", seed=seed, side=160, rows=8))
            if report.status != "ok" or again.status != "ok":
                wrong.append(f"{states(report)} {states(again)} {again.nodes['a'].error} {again.nodes['m'].error}")
            elif bench.value(report, "m").value != bench.value(again, "m").value:
                wrong.append("two values for one graph")

    threads = [threading.Thread(target=work, args=(bench, 3 * k)) for k, bench in enumerate(benches)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for bench in benches:
        bench.worker.close()
    assert not wrong
    store = Store(tmp_path / "store", disk_bytes=MEGABYTE)
    store.flush()
    assert store.disk_used() <= MEGABYTE
    store.close()


def test_what_a_kill_left_behind_is_swept_away(tmp_path: Path) -> None:
    store = Store(tmp_path)
    kept = store.publish("k", "t", {"out": Image.of([[0.5] * 64] * 64)}, 0.0)
    old, fresh = (tmp_path / "blobs" / "ab" / name for name in ("abandoned.part", "fresh.part"))
    old.parent.mkdir(exist_ok=True)
    for path in (old, fresh):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    for blob in (tmp_path / "blobs").glob("*/*"):
        os.utime(blob, (1, 1)) if blob != fresh else None
    store.sweep()
    store.release()
    assert not old.exists() and fresh.exists() and store.has(kept.outputs.values())
    store.close()
