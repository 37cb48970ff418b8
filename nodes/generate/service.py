"""Pictures from an image service on the network."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np

from app.engine import BadInput, Credit, Image, Mask, Multiline, Pictures, Run, Setting, Slider, node
from nodes.generate._diffusion.made import Made
from nodes.generate._service.address import DEFAULT_HOST, DEFAULT_KEY, service_at
from nodes.generate._service.asking import Asker
from nodes.generate._service.images_api import edit, extra_fields, generation
from nodes.image._pixels import check_finite, fitted_mask

Form = Literal["as it likes", "inside the answer", "as an address"]
FORMS = {"inside the answer": "b64_json", "as an address": "url"}


@node("generate.service", title="Picture service", deterministic=False)
def service(
    run: Run,
    image: Image | None = None,
    mask: Mask | None = None,
    prompt: Annotated[str, Multiline(help="What is to be seen.")] = "a wooden chair, plain white background",
    address: Annotated[
        str,
        Setting(help="Of any service that speaks this images API; /images/… is added. Only https, or this machine."),
    ] = f"https://{DEFAULT_HOST}/v1",
    model: Annotated[str, Setting(help="As the service names it.")] = "gpt-image-1",
    size: Annotated[str, Setting(help="Width x height in pixels as the service offers them, or auto.")] = "1024x1024",
    count: Annotated[int, Slider(1, 10, help="Pictures. Each one costs.")] = 1,
    take: Annotated[
        int, Slider(1, 1000, help="Raise it to ask again. Results are kept: the same take is not paid twice.")
    ] = 1,
    more: Annotated[
        str, Multiline(help='Further settings of the service, such as {"quality": "high"}.', advanced=True)
    ] = "",
    answer: Annotated[Form, Setting(help="How the service sends pictures; some know one way only.", advanced=True)] = (
        "as it likes"
    ),
    key: Annotated[
        str, Setting(label="Key from", help="Name of the environment variable. Never the key itself.", advanced=True)
    ] = DEFAULT_KEY,
    time_limit: Annotated[
        float, Slider(10, 1800, log=True, unit="s", help="For all tries together.", advanced=True)
    ] = (300.0),
) -> Made:
    """Ask an image service for pictures. It costs money there, and the prompt and the pictures are sent to it.

    Speaks the images API of OpenAI, which many services offer; Midjourney has none of its own. With a picture linked,
    it is sent to be edited; a mask shows what to make anew. The key comes from an environment variable or the system's
    key store and is in no file. Nothing is sent before this node runs; a result is kept until a setting changes.
    """
    run.progress(0, "")
    at = service_at(address, key)
    if not prompt.strip():
        raise BadInput("There is no prompt.", "Write what is to be seen.")
    if mask is not None and image is None:
        raise BadInput("There is a mask, but no picture that it belongs to.", "Link the picture, too.")
    fields: dict[str, Any] = {"model": model.strip(), "prompt": prompt, "n": count}
    fields |= {"size": size.strip()} if size.strip() else {}
    fields |= {"response_format": FORMS[answer]} if answer in FORMS else {}
    fields |= extra_fields(more)
    request = generation(at, fields) if image is None else edit(at, fields, _files(image, mask))
    if not at.here:
        run.warn(f"Asked {at.host}, where it costs money. The result is kept; raise take to ask again.")
    run.credit(Credit(model.strip(), source=at.host, kind="service"))
    made = tuple(Asker(run, at, time_limit).pictures(request))
    return Made(made[0], Pictures(made))


def _files(image: Image, mask: Mask | None) -> dict[str, bytes]:
    """The picture, and the mask as the API wants it: clear where the picture is to be made anew."""
    check_finite(image.pixels)
    files = {"image": _png(image.pixels)}
    if mask is not None:
        keep = 1 - fitted_mask(mask, image.size)
        check_finite(keep, "The mask")
        files["mask"] = _png(np.dstack([image.rgb, keep]))
    return files


def _png(pixels: Any) -> bytes:
    """(H, W, 4) of 0..1 as PNG, 8 bit."""
    import cv2

    levels = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    _, data = cv2.imencode(".png", np.ascontiguousarray(levels[..., [2, 1, 0, 3]]))
    return bytes(data)
