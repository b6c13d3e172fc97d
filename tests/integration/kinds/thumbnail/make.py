"""Make a thumbnail with Pillow."""

import base64
import io

from PIL import Image, UnidentifiedImageError

from functions.common.kind import Context, Permanent
from kinds.thumbnail import Input, Output


def make_thumbnail(job_input: Input, context: Context) -> Output:
    try:
        image = Image.open(io.BytesIO(base64.b64decode(job_input.picture, validate=True)))
        image.thumbnail((job_input.size, job_input.size))
    except (ValueError, UnidentifiedImageError) as error:
        raise Permanent("no_picture", "this is not a picture in Base64") from error
    file = io.BytesIO()
    image.save(file, "PNG")
    assert context.files is not None
    url = context.files.put(f"{context.id}.png", file.getvalue(), "image/png")
    return Output(url=url, width=image.width, height=image.height)
