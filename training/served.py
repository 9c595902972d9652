"""What is served, as a callable: by the networks in the model repository, or by a server that runs."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from clients import Enhancer
from clients.errors import EnhanceError
from pixels import edit
from pixels.resampling import to_coarse
from pixels.tiling import TILE_PX
from serving.versions import DEFAULT_STYLE, ONNX_NAME, common_versions, model_names, styles
from training.errors import TrainingError

REPOSITORY = Path("model_repository")
Photo: TypeAlias = NDArray[np.uint8]
Edit: TypeAlias = Callable[[Photo], Photo]


def published(style: str = DEFAULT_STYLE, repository: Path = REPOSITORY) -> Edit:
    """The edit of the networks that a server would load now, in mode `full`, in ONNX Runtime.

    Raises:
        TrainingError: there is no such style.
    """
    known = styles(repository)
    if style not in known:
        raise TrainingError(f"no style {style!r} is published in {repository}, only {', '.join(known) or 'none'}")
    version = str(common_versions(repository, style)[0])
    generator, refiner = (
        onnxruntime.InferenceSession(repository / name / version / ONNX_NAME, providers=["CPUExecutionProvider"])
        for name in model_names(style)
    )

    def refine_tile(photo: Photo, applied: Photo) -> Photo:
        return np.asarray(refiner.run(None, {"PHOTO": photo[None], "APPLIED": applied[None]})[0][0], np.uint8)

    def enhance(photo: Photo) -> Photo:
        (curves,) = generator.run(None, {"COARSE": to_coarse(photo, TILE_PX)[None]})[0]
        return np.asarray(edit.enhance(photo, curves, refine_tile), np.uint8)

    return enhance


def served_at(url: str, style: str = DEFAULT_STYLE) -> Edit:
    """The edit of a server that runs, in mode `full`; photos travel as PNG.

    Raises, when it is called:
        TrainingError: what the server, or the connection to it, has said.
    """
    enhancer = Enhancer(url)

    def enhance(photo: Photo) -> Photo:
        _, file = cv2.imencode(".png", photo[..., ::-1])
        try:
            answer = enhancer.enhance(file.tobytes(), mode="full", format="png", style=style)
        except EnhanceError as error:
            raise TrainingError(str(error)) from None
        edited = cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_COLOR)
        return np.ascontiguousarray(edited[..., ::-1], np.uint8)

    return enhance
