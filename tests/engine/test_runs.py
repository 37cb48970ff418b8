"""What runs, what is reused, what fails and what that blocks: read off the report and off counted calls."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from helpers import Bench, calls, chain, graph_of, states, toys

from app.engine import Number, node
from app.engine.codec import digest, encode
from app.engine.events import Finished, Previewed, Progressed, RunFinished, RunStarted, Started
from app.engine.graph import Graph, Link
from app.engine.plan import make_plan
from app.engine.script import Workspace
from app.engine.store import Store


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    with Bench(tmp_path) as bench:
        yield bench


def with_log(tmp_path: Path) -> tuple[Graph, Path]:
    log = tmp_path / "calls"
    text = str(log)
    graph = graph_of(
        ("a", "constant", {"value": 2.0, "log": text}),
        ("b", "add", {"plus": 1.0, "log": text}),
        ("c", "add", {"plus": 5.0, "log": text}),
        links=(("a", "out", "b", "a"), ("b", "out", "c", "a")),
    )
    return graph, log


def test_a_second_run_executes_nothing_and_neither_does_one_after_a_restart(tmp_path: Path) -> None:
    graph, log = with_log(tmp_path)
    with Bench(tmp_path) as bench:
        first = bench.run(graph)
        assert first.status == "ok" and set(states(first).values()) == {"ran"} and calls(log) == 3
        second = bench.run(graph)
        assert set(states(second).values()) == {"reused"} and calls(log) == 3
        assert bench.value(second, "c").value == 8.0
    with Bench(tmp_path) as bench:
        third = bench.run(graph)
        assert set(states(third).values()) == {"reused"} and calls(log) == 3
        assert bench.value(third, "c").value == 8.0


def test_a_changed_parameter_reruns_that_node_and_what_follows_and_back_reruns_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    graph, log = with_log(tmp_path)
    bench.run(graph)
    changed = bench.run(graph.with_params("b", plus=9.0))
    assert states(changed) == {"a": "reused", "b": "ran", "c": "ran"}
    assert bench.value(changed, "c").value == 16.0
    assert set(states(bench.run(graph)).values()) == {"reused"} and calls(log) == 5


def test_names_and_places_are_not_part_of_a_result(bench: Bench, tmp_path: Path) -> None:
    graph, _ = with_log(tmp_path)
    bench.run(graph)
    moved = graph.with_nodes(replace(n, title="Other", at=(9.0, 9.0)) for n in graph.nodes.values())
    assert set(states(bench.run(moved)).values()) == {"reused"}
    renumbered = Graph(
        {f"x{id}": replace(node, id=f"x{id}") for id, node in graph.nodes.items()},
        tuple(Link(f"x{k.source}", k.output, f"x{k.target}", k.input) for k in graph.links),
    )
    assert set(states(bench.run(renumbered)).values()) == {"reused"}


def test_equal_content_stops_what_follows(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "after"
    graph = graph_of(
        ("a", "constant", {"value": 2.0}), ("s", "sign", {}), ("z", "add", {"log": str(log)}),
        links=(("a", "out", "s", "a"), ("s", "out", "z", "a")),
    )  # fmt: skip
    bench.run(graph)
    report = bench.run(graph.with_params("a", value=7.0))
    assert states(report) == {"a": "ran", "s": "ran", "z": "reused"} and calls(log) == 1


def test_a_replaced_file_reruns_and_a_touched_one_does_not(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text("one")
    graph = graph_of(("r", "read", {"path": "in.txt"}))
    assert bench.value(bench.run(graph), "r").value == "one"
    stamp = file.stat()
    os.utime(file, (1, 1))
    assert states(bench.run(graph)) == {"r": "reused"}
    file.write_text("two")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    report = bench.run(graph)
    assert states(report) == {"r": "ran"} and bench.value(report, "r").value == "two"


def test_a_failure_blocks_only_what_needs_it_runs_once_and_is_never_stored(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "fails"
    graph = graph_of(
        ("a", "constant", {}), ("f", "fail", {"log": str(log)}), ("x", "add", {}), ("y", "add", {}), ("ok", "add", {}),
        links=(("a", "out", "f", "a"), ("f", "out", "x", "a"), ("f", "out", "y", "a"), ("a", "out", "ok", "a")),
    )  # fmt: skip
    report = bench.run(graph)
    assert report.status == "partial" and calls(log) == 1
    assert states(report) == {"a": "ran", "f": "failed", "x": "blocked", "y": "blocked", "ok": "ran"}
    error = report.nodes["f"].error
    assert error and (error.kind, error.message, error.advice) == ("bad-input", "This node cannot work.", "Remove it.")
    assert states(bench.run(graph))["f"] == "failed" and calls(log) == 2


@pytest.mark.parametrize(("type_id", "kind"), [("fail", "exception"), ("out_of_memory", "out-of-memory")])
def test_any_exception_becomes_words(bench: Bench, type_id: str, kind: str) -> None:
    params = {"kind": "bare"} if type_id == "fail" else {}
    report = bench.run(graph_of(("f", type_id, params)))
    error = report.nodes["f"].error
    assert report.status == "failed" and error and error.kind == kind and error.message and error.advice


def test_files_are_written_and_written_again_from_the_store(bench: Bench, tmp_path: Path) -> None:
    log = tmp_path / "writes"
    graph = graph_of(
        ("a", "constant", {"value": 4.0}), ("w", "write", {"path": "deep/x.txt", "log": str(log)}),
        links=(("a", "out", "w", "a"),),
    )  # fmt: skip
    path = bench.out / "deep" / "x.txt"
    for spoil in (lambda: None, path.unlink, lambda: path.write_text("spoiled"), lambda: None):
        spoil()
        report = bench.run(graph)
        assert report.status == "ok" and report.outputs == ["deep/x.txt"] and path.read_text() == "4\n"
    assert calls(log) == 1


@pytest.mark.parametrize("path", ["../x.txt", "/tmp/x.txt", "a/../../x.txt", "c:/x.txt"])
def test_nothing_is_written_outside_the_chosen_folder(bench: Bench, tmp_path: Path, path: str) -> None:
    graph = graph_of(("a", "constant", {}), ("w", "write", {"path": path}), links=(("a", "out", "w", "a"),))
    before = {p for p in tmp_path.parent.rglob("*.txt")}
    report = bench.run(graph)
    error = report.nodes["w"].error
    assert error and error.kind == "cannot-write" and "outside" in error.message
    assert {p for p in tmp_path.parent.rglob("*.txt")} == before


def test_a_folder_that_cannot_be_written_is_said_and_the_result_is_kept(bench: Bench) -> None:
    bench.out.write_text("a file stands where the folder should be")
    graph = graph_of(("a", "constant", {}), ("w", "write", {}), links=(("a", "out", "w", "a"),))
    report = bench.run(graph)
    error = report.nodes["w"].error
    assert error and error.kind == "cannot-write" and error.advice
    bench.out.unlink()
    assert states(bench.run(graph)) == {"a": "reused", "w": "reused"}
    assert (bench.out / "number.txt").read_text() == "1\n"


def test_only_what_the_targets_need_runs(bench: Bench) -> None:
    report = bench.run(chain(4), targets=("n1",))
    assert states(report) == {"n0": "ran", "n1": "ran", "n2": "skipped", "n3": "skipped"}


def test_a_bypassed_node_hands_its_input_on(bench: Bench) -> None:
    graph = chain(3)
    graph = graph.with_node(replace(graph.nodes["n1"], bypass=True))
    report = bench.run(graph)
    assert states(report) == {"n0": "ran", "n1": "skipped", "n2": "ran"}
    assert bench.value(report, "n2").value == 2.0


def test_several_outputs_and_a_number_that_drives_a_parameter(bench: Bench) -> None:
    graph = graph_of(
        ("a", "constant", {"value": 2.5}), ("s", "split", {}), ("t", "add", {"plus": -1.0}),
        links=(("a", "out", "s", "a"), ("s", "whole", "t", "a"), ("s", "rest", "t", "plus")),
    )  # fmt: skip
    assert bench.value(bench.run(graph), "t").value == 2.5


def test_a_driven_parameter_is_checked(bench: Bench) -> None:
    graph = graph_of(("a", "constant", {"value": 9000}), ("p", "picture", {}), links=(("a", "out", "p", "size"),))
    error = bench.run(graph).nodes["p"].error
    assert error and error.kind == "bad-param" and "4,096" in error.message


def test_a_parameter_that_is_driven_is_not_judged_by_its_own_value(bench: Bench) -> None:
    graph = graph_of(
        ("a", "constant", {"value": 9.0}), ("b", "constant", {"value": 1e9}), links=(("a", "out", "b", "value"),)
    )
    report = bench.run(graph, strict=True)
    assert report.status == "ok" and bench.value(report, "b").value == 9.0


def test_a_volatile_node_runs_every_time(bench: Bench, tmp_path: Path) -> None:
    graph = graph_of(("v", "volatile", {"log": str(tmp_path / "v")}), ("z", "add", {}), links=(("v", "out", "z", "a"),))
    bench.run(graph)
    assert states(bench.run(graph)) == {"v": "ran", "z": "reused"}


def test_strict_runs_nothing_when_anything_is_wrong_and_lenient_runs_the_rest(bench: Bench) -> None:
    graph = graph_of(("a", "constant", {"value": 1e9}), ("b", "constant", {}), ("c", "add", {}))
    strict = bench.run(graph, strict=True)
    assert strict.status == "invalid" and set(states(strict).values()) == {"blocked"}
    lenient = bench.run(graph)
    assert lenient.status == "partial" and states(lenient) == {"a": "failed", "b": "ran", "c": "failed"}


def test_an_unknown_type_does_not_stop_the_rest(bench: Bench) -> None:
    graph = graph_of(("a", "constant", {}), ("u", "own.magic", {}), ("z", "add", {}), links=(("u", "o", "z", "a"),))
    report = bench.run(graph, strict=True)
    assert report.status == "partial" and states(report) == {"a": "ran", "u": "failed", "z": "blocked"}


def test_a_cycle_without_an_end_is_invalid(bench: Bench) -> None:
    graph = graph_of(("a", "add", {}), ("b", "add", {}), links=(("a", "out", "b", "a"), ("b", "out", "a", "a")))
    assert bench.run(graph).status == "invalid"


def test_events_tell_the_story_in_order(bench: Bench) -> None:
    bench.run(graph_of(("a", "constant", {}), ("s", "sleep", {"seconds": 0.3}), links=(("a", "out", "s", "a"),)))
    kinds = [type(event) for event in bench.events]
    assert kinds[0] is RunStarted and kinds[-1] is RunFinished
    assert [k for k in kinds if k in (Started, Finished)] == [Started, Finished, Started, Finished]
    fractions = [event.fraction for event in bench.events if isinstance(event, Progressed)]
    assert fractions == sorted(fractions) and fractions and fractions[0] >= 0 and fractions[-1] <= 1


def test_an_intermediate_preview_waits_in_the_store(bench: Bench) -> None:
    bench.run(graph_of(("p", "preview", {})))
    (event,) = [event for event in bench.events if isinstance(event, Previewed)]
    assert bench.worker.store.load(event.digest).pixels[0, 0, 0] == 0.0


def test_evicted_and_damaged_results_are_made_again(tmp_path: Path) -> None:
    graph = graph_of(("p", "picture", {"size": 128}), ("q", "image.levels", {}), links=())
    with Bench(tmp_path) as bench:
        report = bench.run(graph, targets=("p",))
    (blob,) = [p for p in (tmp_path / "store" / "blobs").rglob("*") if p.is_file()]
    data = bytearray(blob.read_bytes())
    data[-100] ^= 1
    blob.write_bytes(data)
    with Bench(tmp_path) as bench:
        again = bench.run(graph, targets=("p",))
        assert states(again)["p"] == "reused"
        with pytest.raises(Exception, match="checksum"):
            bench.value(again, "p")
        assert states(bench.run(graph, targets=("p",)))["p"] == "ran"
        assert digest(encode(bench.value(report, "p"))) == report.nodes["p"].outputs["out"]


def test_the_plan_foretells_the_run(bench: Bench, tmp_path: Path) -> None:
    graph = chain(4)
    bench.run(graph)
    changed = graph.with_params("n2", plus=3.5)
    plan = make_plan(changed, toys(), bench.worker.store, tmp_path)
    assert dict(plan.states) == {"n0": "reuse", "n1": "reuse", "n2": "run", "n3": "run"}
    assert states(bench.run(changed)) == {"n0": "reused", "n1": "reused", "n2": "ran", "n3": "ran"}


def test_a_double_fan_in_forty_deep_is_planned_in_linear_work(tmp_path: Path) -> None:
    nodes = [("n0", "constant", {})] + [(f"n{i}", "add", {}) for i in range(1, 41)]
    links = tuple((f"n{i - 1}", "out", f"n{i}", socket) for i in range(1, 41) for socket in ("a", "b"))
    store = Store.temporary()
    assert len(make_plan(graph_of(*nodes, links=links), toys(), store, tmp_path).steps) == 41
    store.close()


def test_the_script_face(tmp_path: Path) -> None:
    @node("demo.half", title="Half")
    def half(a: Number, by: float = 2.0) -> Number:
        """Half."""
        return Number(a.value / by)

    work = Workspace(half, packages=("nodes",), out=tmp_path)
    seven = work.add("value.number", value=7.0)
    result = work.run(work.add(half, a=seven))
    assert result[seven].value == 7.0
    quarter = work.add(half, a=seven, by=4.0, title="Quarter")
    assert work.run()[quarter].value == 1.75
    work.save(tmp_path / "x.graph")
    other = Workspace(half)
    other.load(tmp_path / "x.graph")
    assert other.graph == work.graph
