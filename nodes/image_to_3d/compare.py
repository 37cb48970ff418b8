"""One picture through several methods, and what they made of it side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, NamedTuple

from app.engine import BadInput, Image, Mesh, Multiline, Pictures, Report, Run, Seed, Setting, Slider, node
from app.engine.params import Line
from nodes.image._pixels import check_finite
from nodes.image_to_3d._methods import Method, Outcome, attempt, chosen, decides
from nodes.image_to_3d._turntables import Row, Stage, sheet_of, turntables
from nodes.mesh import _align
from nodes.mesh._metrics import Surface, difference, surface_of

Look = Literal["textured", "clay"]
POINTS = 20_000
NEAR = 0.01


class Comparison(NamedTuple):
    """The sheet, the figures, the mesh that was asked for, and every picture of the sheet by itself."""

    sheet: Image
    report: Report
    best: Mesh | None
    views: Pictures | None


@node("image_to_3d.compare", title="Compare methods", devices=("cpu", "cuda", "mps"), deterministic=False,
      besides=decides)  # fmt: skip
def compare(
    run: Run,
    image: Image,
    reference: Mesh | None = None,
    methods: Annotated[
        str,
        Multiline(
            placeholder="all that are installed",
            help="One a line, with settings if wished: triposr resolution=128. Empty: every one that is installed.",
        ),
    ] = "",
    keep: Annotated[
        str,
        Line(
            placeholder="the best",
            help="Whose mesh comes out: a part of its name. Empty: nearest to the reference, or else the first.",
        ),
    ] = "",
    views: Annotated[int, Slider(1, 12, help="Pictures of each mesh, all around.")] = 4,
    size: Annotated[int, Slider(96, 1024, log=True, unit="px", help="Side of each picture.")] = 256,
    elevation: Annotated[float, Slider(-80, 80, unit="°", help="How far from above the camera looks.")] = 15.0,
    look: Annotated[Look, Setting(help="Clay shows the shape without its colours.")] = "textured",
    turn_to_fit: Annotated[
        bool, Setting(help="Lay each mesh over the reference by turning, too, before it is measured.", advanced=True)
    ] = True,
    seed: Annotated[int, Seed(help="Decides at which points the meshes are measured.")] = 0,
) -> Comparison:
    """Try several picture-to-3D methods on one picture and see the meshes side by side.

    Every mesh is shown equally tall, from the same cameras, with time, memory and triangles. The time includes loading
    a model that was not loaded yet. With a reference mesh, the chamfer distance (share of the reference's diagonal) and
    the F-score at 1 % of it are given, too, after both were laid over each other. A method without its model files, or
    one that fails, is listed with the reason.
    """
    run.progress(0, "preparing")
    check_finite(image.pixels)
    other = None if reference is None else surface_of(reference, "reference")
    outcomes = run_all(run, image, chosen(methods))
    if other is not None:
        outcomes = _measured(run, outcomes, other, turn_to_fit, seed)
    best = _best(outcomes, keep)
    meshes = [mesh for mesh in (*(outcome.mesh for outcome in outcomes), reference) if mesh is not None]
    stage = Stage(views, elevation, size, look == "clay")
    pictures = turntables(meshes, stage, lambda done: run.progress(0.85 + 0.15 * done, "pictures"))
    each = Pictures(tuple(picture for row in pictures for picture in row)) if pictures else None
    sheet = sheet_of(_rows(image, outcomes, reference, pictures), stage)
    return Comparison(sheet, _report(outcomes, best), best.mesh if best else None, each)


def run_all(run: Run, image: Image, methods: list[Method]) -> list[Outcome]:
    """One after the other. Only Cancel ends it early."""
    share = 0.75 / len(methods)
    outcomes = []
    for number, method in enumerate(methods):

        def told(done: float, note: str, start: float = number * share, label: str = method.label) -> None:
            run.progress(start + done * share, f"{label}: {note}" if note else label)

        told(0, "")
        outcomes.append(attempt(run, method, image, told))
    return outcomes


def _measured(run: Run, outcomes: list[Outcome], other: Surface, turn: bool, seed: int) -> list[Outcome]:
    """With the figures against the reference."""
    done = []
    for number, outcome in enumerate(outcomes):
        run.progress(0.75 + 0.1 * number / len(outcomes), "measuring")
        if outcome.mesh is not None:
            try:
                outcome = replace(outcome, figures=_figures(run, surface_of(outcome.mesh), other, turn, seed))
            except BadInput as error:
                outcome = replace(outcome, mesh=None, trouble=error.message, advice=error.advice)
        done.append(outcome)
    return done


def _figures(run: Run, one: Surface, other: Surface, turn: bool, seed: int) -> dict[str, float]:
    if turn:
        placed = _align.full(one, other, seed, lambda _: run.check())
    else:
        placed = _align.by_centre_and_scale(one, other)
    found = difference(_align.moved(one, placed), other, POINTS, NEAR * other.diagonal, seed, lambda _: run.check())
    return {"chamfer distance": found.chamfer / other.diagonal, "F-score": found.f_score}


def _best(outcomes: list[Outcome], keep: str) -> Outcome | None:
    worked = [outcome for outcome in outcomes if outcome.mesh is not None]
    if keep.strip():
        named = [outcome for outcome in outcomes if keep.strip().lower() in _names(outcome)]
        if not named:
            raise BadInput(f"No method is called {keep!r}.", "Write a part of a name from the sheet, or nothing.")
        worked = [outcome for outcome in named if outcome.mesh is not None]
    return min(worked, key=lambda outcome: outcome.figures.get("chamfer distance", 0.0), default=None)


def _names(outcome: Outcome) -> str:
    return f"{outcome.method.label} {outcome.method.spec.id}".lower()


def _rows(
    image: Image, outcomes: list[Outcome], reference: Mesh | None, pictures: list[tuple[Image, ...]]
) -> list[Row]:
    left = iter(pictures)
    rows = [Row("Picture", f"{image.size[0]} x {image.size[1]} px", (image,))]
    for outcome in outcomes:
        title = outcome.method.spec.title
        if outcome.mesh is None:
            state = "needs weights" if outcome.lacks_weights else "failed"
            facts = filter(None, (outcome.method.told, state))
            rows.append(Row(title, "\n".join(facts), trouble=f"{outcome.trouble}\n{outcome.advice}"))
        else:
            rows.append(Row(title, "\n".join(_facts(outcome)), next(left)))
    if reference is not None:
        rows.append(Row("Reference", f"{len(reference.faces):,} triangles", next(left)))
    return rows


def _facts(outcome: Outcome) -> list[str]:
    assert outcome.mesh is not None
    memory = f"{outcome.memory_gb:.2f} GB memory"
    return [
        *([outcome.method.told] if outcome.method.told else []),
        f"{outcome.seconds:.1f} s",
        memory if not outcome.gpu_gb else f"{memory}, {outcome.gpu_gb:.2f} GB on the GPU",
        f"{len(outcome.mesh.faces):,} triangles",
        *([f"chamfer distance {outcome.figures['chamfer distance']:.2%}"] if outcome.figures else []),
        *([f"F-score {outcome.figures['F-score']:.3f}"] if outcome.figures else []),
    ]


def _report(outcomes: list[Outcome], best: Outcome | None) -> Report:
    rows: list[tuple[str, str | int | float | bool]] = []
    for outcome in outcomes:
        name = outcome.method.label
        if outcome.mesh is None:
            rows.append((f"{name}: result", "needs weights" if outcome.lacks_weights else "failed"))
            rows.append((f"{name}: reason", f"{outcome.trouble} {outcome.advice}".strip()))
            continue
        rows.append((f"{name}: result", "mesh"))
        rows.append((f"{name}: seconds", outcome.seconds))
        rows.append((f"{name}: memory (GB)", outcome.memory_gb))
        if outcome.gpu_gb:
            rows.append((f"{name}: GPU memory (GB)", outcome.gpu_gb))
        rows.append((f"{name}: triangles", len(outcome.mesh.faces)))
        rows += [(f"{name}: {figure}", value) for figure, value in outcome.figures.items()]
    worked = sum(outcome.mesh is not None for outcome in outcomes)
    kept = f"; {best.method.label} is handed on" if best else ""
    return Report("Comparison", tuple(rows), f"{worked} of {len(outcomes)} methods gave a mesh{kept}.")
