"""Several posed pictures on one link."""

from __future__ import annotations

import numpy as np

from app.engine import Image, Views, node


@node("texture.views", title="Gather views", group="Bake and project")
def gather_views(views: Views, picture: Image | None = None, more: Views | None = None) -> Views:
    """Several views on one link, each with the picture that was painted over it.

    Link the views of Control from mesh and the new picture of the same camera, and a second one's result into *more*:
    its views come first.
    """
    from nodes.texture._view import pictures_for

    images = pictures_for(views, picture, ())
    before = more or Views((), np.zeros((0, 3, 3), np.float32), np.zeros((0, 4, 4), np.float32))
    scale = np.ones((len(images), 3, 1), np.float32)
    for number, (new, old) in enumerate(zip(images, views.images, strict=True)):
        scale[number, :2, 0] = new.size[0] / old.size[0], new.size[1] / old.size[1]
    return Views(
        (*before.images, *images),
        np.concatenate([before.intrinsics, views.intrinsics * scale]),
        np.concatenate([before.poses, views.poses]),
    )
