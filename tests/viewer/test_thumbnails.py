from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from viewer_samples import FOUR_COLOURS, one_of_each, picture, quad, sphere

from app.engine.payloads import Mesh, Number, Payload, PointCloud, Report, Text
from viewer.thumbnails import thumbnail


@pytest.mark.parametrize("payload", one_of_each().values(), ids=lambda p: type(p).__name__)
def test_each_payload_has_a_thumbnail(payload: Payload):
    small = thumbnail(payload, 64, 64)
    assert small is not None
    assert small.shape == (64, 64, 4)
    assert small.dtype == np.uint8
    assert (small[..., 3] > 0).mean() > 0.05
    assert len(np.unique(small.reshape(-1, 4), axis=0)) > 2


def test_threads_draw_the_same_as_one_alone():
    payloads = list(one_of_each().values()) * 4
    alone = [thumbnail(p, 48, 48) for p in payloads]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda p: thumbnail(p, 48, 48), payloads))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_nothing_to_see_is_none():
    assert thumbnail(Mesh.of(np.zeros((0, 3)), np.zeros((0, 3)))) is None
    assert thumbnail(Text("")) is None


def test_a_textured_mesh_shows_its_colours_in_place():
    small = thumbnail(quad(), 96, 96).astype(int)
    solid = small[..., 3] == 255
    for colour, rows, columns in (
        (FOUR_COLOURS[0, 0], slice(0, 48), slice(0, 48)),
        (FOUR_COLOURS[0, 1], slice(0, 48), slice(48, 96)),
        (FOUR_COLOURS[1, 0], slice(48, 96), slice(0, 48)),
        (FOUR_COLOURS[1, 1], slice(48, 96), slice(48, 96)),
    ):
        found = small[rows, columns, :3][solid[rows, columns]]
        middle = np.median(found, axis=0)
        tone, wanted = middle / middle.sum(), colour / colour.sum()
        assert np.abs(tone - wanted).max() < 0.06


def test_nothing_but_the_mesh_is_drawn_and_the_mesh_has_no_holes():
    alpha = thumbnail(sphere(), 96, 96)[..., 3]
    y, x = np.mgrid[0:96, 0:96] + 0.5
    reach = np.hypot(x - 48, y - 48)
    radius = np.sqrt((alpha > 127).sum() / np.pi)
    assert (alpha[reach < radius - 2] == 255).all()
    assert (alpha[reach > radius + 2] == 0).all()


def test_a_mesh_of_millions_is_drawn_closed():
    big = sphere(900, 1200)
    assert len(big.faces) > 2_000_000
    alpha = thumbnail(big, 64, 64)[..., 3]
    y, x = np.mgrid[0:64, 0:64] + 0.5
    radius = np.sqrt((alpha > 127).sum() / np.pi)
    assert (alpha[np.hypot(x - 32, y - 32) < radius - 2] == 255).all()


def test_broken_vertices_are_left_out():
    mesh = sphere()
    vertices = mesh.vertices.copy()
    vertices[5] = np.nan
    vertices[9] = np.inf
    assert (thumbnail(replace(mesh, vertices=vertices), 96, 96)[..., 3] > 0).mean() > 0.2


def test_transparent_pixels_stay_transparent_and_do_not_bleed():
    small = thumbnail(picture(400, 300), 64, 64)
    assert (small[32, :28, 3] == 0).all()
    assert (small[32, 36:, 3] == 255).all()
    assert abs(int(small[32, 63, 2]) - 128) <= 1


@pytest.mark.parametrize(
    "payload",
    [
        Number(3.5),
        Number(1234567),
        Text("word"),
        Text("many words " * 40),
        Report("Title", (("a", 1),), "All is well."),
    ],
)
def test_words_bring_no_background_of_their_own(payload):
    small = thumbnail(payload)
    assert small.shape == (84, 156, 4)
    edge = np.concatenate([small[0, :, 3], small[-1, :, 3], small[:, 0, 3], small[:, -1, 3]])
    assert not edge.any()
    assert (small[..., 3] > 200).sum() > 20
    assert small[small[..., 3] > 0][:, :3].min() > 140


def test_a_wide_picture_uses_the_width():
    small = thumbnail(picture(400, 100), 100, 50)
    assert small[:, 60:, 3].any(axis=0).all()
    assert small[:, :, 3].any(axis=1).sum() == 25


@pytest.mark.parametrize("normals", [True, False])
def test_points_look_round_with_and_without_normals(normals: bool):
    way = np.random.default_rng(0).normal(size=(4000, 3))
    way = (way / np.linalg.norm(way, axis=1, keepdims=True)).astype(np.float32)
    red = np.tile(np.array([0.9, 0.1, 0.1, 1], np.float32), (4000, 1))
    small = thumbnail(PointCloud(way, red, way if normals else None), 96, 96).astype(int)
    hit = small[..., 3] == 255
    assert small[hit, 0].std() > 10 and (small[hit, 0] >= small[hit, 1]).all()
    if not normals:
        assert small[8:14, 48, 0].mean() < small[44:52, 44:52, 0].mean()
