"""Small real payloads to look at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from app.engine.payloads import (
    Controls,
    Depth,
    Detections,
    Field,
    Files,
    Image,
    Mask,
    Material,
    Mesh,
    Number,
    Payload,
    Pictures,
    PointCloud,
    Report,
    Scene,
    Splats,
    Text,
    Views,
)
from viewer.preview_ball import preview_ball

FOUR_COLOURS = np.array([[[230, 40, 30], [40, 200, 60]], [[50, 70, 220], [240, 220, 40]]], np.uint8)


def sphere(rings: int = 24, sectors: int = 48) -> Mesh:
    """A UV sphere with a seam: closed once its doubled vertices count as one."""
    return replace(preview_ball(Material(), rings, sectors), material=None)


def quad() -> Mesh:
    """Two triangles facing +z, textured with four flat colours: red, green over blue, yellow."""
    texture = Image.of(np.kron(FOUR_COLOURS, np.ones((16, 16, 1), np.uint8)))
    return Mesh.of(
        [[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]],
        [[0, 1, 2], [0, 2, 3]],
        uv=np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32),
        material=Material(base_colour=texture),
    )


def scene() -> Scene:
    """A textured quad, and under an empty a grey ball twice: one half a metre to the right, one mirrored and left."""
    places = np.tile(np.eye(4, dtype=np.float32), (4, 1, 1))
    places[1, 1, 3] = 1
    places[2, 0, 3], places[3, 0, 3], places[3, 0, 0] = 0.5, -0.5, -1
    parents = np.array([-1, -1, 1, 1], np.int32)
    return Scene((quad(), sphere()), ("sign", "balls", "right", "left"), ((0,), (), (1,), (1,)), places, parents)


def field() -> Field:
    """Signed distance to a ball of radius 0.6 m."""
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, 24)] * 3, indexing="ij"), -1)
    distance = np.linalg.norm(grid, axis=-1, keepdims=True) - 0.6
    return Field(distance.astype(np.float32), np.full(3, -1, np.float32), np.full(3, 1, np.float32))


def picture(width: int = 40, height: int = 30) -> Image:
    """A colour ramp whose left half is transparent."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    rgba = np.stack([x / width, y / height, np.full_like(x, 0.5), (x >= width / 2).astype(np.float32)], -1)
    return Image(rgba)


def splats() -> Splats:
    points = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32) * np.float32(0.3)
    turns = np.tile(np.array([1, 0, 0, 0], np.float32), (200, 1))
    return Splats(
        points,
        np.full((200, 3), 0.05, np.float32),
        turns,
        np.full(200, 0.9, np.float32),
        np.tile(np.array([1.2, -0.5, -0.5], np.float32), (200, 1, 1)),
    )


def one_of_each() -> dict[type[Payload], Payload]:
    """A small real payload of each class."""
    image, still = picture(), np.tile(np.eye(4, dtype=np.float32), (2, 1, 1))
    points = np.random.default_rng(1).uniform(-1, 1, (500, 3)).astype(np.float32)
    payloads: list[Payload] = [
        image,
        Mask(image.alpha.copy()),
        Detections(
            np.array([[0.1, 0.2, 0.6, 0.9]], np.float32),
            np.ones(1, np.float32),
            ("cup",),
            np.ones((1, 3, 4), np.uint8),
            (40, 30),
        ),
        Depth(np.linspace(1, 2, 1200, dtype=np.float32).reshape(30, 40), np.eye(3, dtype=np.float32)),
        Material(name="clay", base_factor=(0.8, 0.3, 0.2, 1)),
        sphere(),
        scene(),
        PointCloud(points, colours=np.tile(np.array([0.2, 0.8, 0.4, 1], np.float32), (500, 1))),
        splats(),
        Views((image, image), still[:, :3, :3].copy(), still),
        Pictures((image, picture(20, 50))),
        Controls(
            (image, picture(20, 50)),
            ("SD 1.5 canny", "SD 1.5 depth"),
            ("", ""),
            ("", ""),
            np.ones(2, np.float32),
            np.zeros((2, 2), np.float32),
        ),
        field(),
        Text("Some words\nand more"),
        Number(42.5),
        Report("Mesh", (("Triangles", 1234), ("Watertight", True)), "Ready to print."),
        Files.of({"out/model.glb": b"glTF"}),
    ]
    return {type(payload): payload for payload in payloads}
