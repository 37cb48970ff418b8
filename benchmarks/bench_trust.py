"""What the safety costs: the process border, the disk tier against plain file copies, Cancel to idle."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import Bench, graph_of, toys

from app.engine.payloads import Mesh, nbytes
from app.engine.store import Store

SIDE = 1668
"""A grid of so many vertices a side is a mesh of 100 MB."""


@pytest.fixture
def folder():
    place = Path(tempfile.mkdtemp())
    yield place
    shutil.rmtree(place)


def big_mesh(height: float = 0.0) -> Mesh:
    return toys()["toy.grid"].call(SIDE, height)


def _send(connection) -> None:
    while (height := connection.recv()) is not None:
        mesh = big_mesh(height)
        connection.send(time.monotonic())
        connection.send(mesh)


@pytest.mark.benchmark(group="100 MB mesh, from finished node to the window's process and into VTK")
def test_mesh_through_the_store(benchmark, folder: Path) -> None:
    """Written by the worker, mapped by the window, checked against its digest, handed to VTK without a copy."""
    from viewer.looks import surface_data

    heights = itertools.count(1)

    with Bench(folder, in_process=False) as bench:

        def setup():
            return (bench.start(graph_of(("g", "grid", {"side": SIDE, "height": float(next(heights))}))),), {}

        def arrive(run_id: int) -> None:
            report = bench.wait(run_id)
            surface_data(bench.value(report, "g"))

        report = bench.wait(setup()[0][0])
        assert nbytes(bench.value(report, "g")) > 99e6
        benchmark.pedantic(arrive, setup=setup, rounds=5)
        benchmark.extra_info["of which the node itself, s"] = bench.worker.store.expected("toy.grid")[0]


@pytest.mark.benchmark(group="100 MB mesh, from finished node to the window's process and into VTK")
def test_mesh_through_a_pipe_as_the_peer(benchmark) -> None:
    """The same mesh made in a process of multiprocessing and pickled through its pipe; nothing is kept."""
    from viewer.looks import surface_data

    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_send, args=(there,))
    process.start()
    heights = itertools.count(1)

    def arrive() -> None:
        here.send(float(next(heights)))
        here.recv()
        surface_data(here.recv())

    arrive()
    benchmark.pedantic(arrive, rounds=5)
    here.send(None)
    process.join()


@pytest.mark.benchmark(group="100 MB written")
def test_disk_tier_writes(benchmark, folder: Path) -> None:
    store = Store(folder, memory_bytes=0)
    heights = itertools.count(1)
    meshes = ((f"k{i}", "t", {"out": big_mesh(float(i))}, 0.0) for i in heights)
    benchmark.pedantic(store.publish, setup=lambda: (next(meshes), {}), rounds=5)
    store.close()


@pytest.mark.benchmark(group="100 MB written")
def test_plain_file_writes_as_the_peer(benchmark, folder: Path) -> None:
    data = np.random.default_rng(0).bytes(100_000_000)
    source = folder / "source"
    source.write_bytes(data)
    numbers = itertools.count()
    benchmark.pedantic(lambda: shutil.copyfile(source, folder / f"copy{next(numbers)}"), rounds=5)


@pytest.mark.benchmark(group="100 MB read")
def test_disk_tier_reads_and_checks(benchmark, folder: Path) -> None:
    """Mapped, its SHA-256 computed, every array looked at."""
    store = Store(folder, memory_bytes=0)
    name = store.publish("k", "t", {"out": big_mesh()}, 0.0).outputs["out"]
    mesh = benchmark.pedantic(lambda: store.load(name), rounds=5)
    assert len(mesh.vertices) == SIDE * SIDE
    store.close()


@pytest.mark.benchmark(group="100 MB read")
def test_plain_file_reads_as_the_peer(benchmark, folder: Path) -> None:
    path = folder / "plain"
    path.write_bytes(os.urandom(100_000_000))
    assert len(benchmark.pedantic(path.read_bytes, rounds=5)) == 100_000_000


@pytest.mark.benchmark(group="Cancel to idle")
@pytest.mark.parametrize("kind", ["sleep", "block"], ids=["a node with stop points", "a node stuck in native code"])
def test_cancel_to_idle(benchmark, folder: Path, kind: str) -> None:
    """Target: within 2 s, whatever the node does."""
    numbers = itertools.count()
    with Bench(folder, in_process=False) as bench:

        def setup():
            started = folder / f"started{next(numbers)}"
            run_id = bench.start(graph_of(("n", kind, {"seconds": 60.0, "started": str(started)})))
            while not started.exists():
                time.sleep(0.005)
            return (run_id,), {}

        def cancel(run_id: int) -> None:
            bench.worker.cancel(run_id)
            assert bench.wait(run_id).status == "cancelled"

        benchmark.pedantic(cancel, setup=setup, rounds=5)
