"""merge: the frames of one scene to one photo with the light of all. It is pixels.brackets; decode is asked by BLS."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codec.errors import RequestError
from codec.frames import check_files, of_frame
from codec.upright import shrink
from pixels.brackets.alignment import MisalignedError
from pixels.brackets.scene import merge_scene
from serving.door import Door
from serving.metrics import Stage
from serving.options import Options
from serving.triton import Deadline, Refused, Tensors, as_bytes, call, samples, setting, tensor

NEWEST = -1
AT_A_TIME = 2  # frames that decode is asked for: as many as it has instances


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.max_megapixels = float(setting(args, "max_megapixels"))
        self.max_scene_megapixels = float(setting(args, "max_scene_megapixels"))
        self.door = Door(args)
        self.stage = Stage("merge")

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self.stage.answer(request, self.merge) for request in requests]

    def finalize(self) -> None:
        self.__dict__.clear()  # counters that outlive their process's talk with the server crash it

    def merge(self, request: Any, chosen: Options) -> Tensors:
        deadline, trace = Deadline(request), request.trace()
        deadline.check()
        files = list(tensor(request, "FRAMES"))
        check_files(files, self.max_megapixels, self.max_scene_megapixels)
        self.door.check(chosen)

        def decoded(number: int, file: bytes) -> NDArray[Any]:
            image = np.frombuffer(file, np.uint8)
            try:
                pixels = call("decode", NEWEST, {"IMAGE": image}, "PIXELS", trace, deadline)
            except Refused as refusal:
                raise of_frame(number, str(refusal)) from None
            return samples(pixels.copy())  # out of the memory shared with the server, which never shrinks

        with ThreadPoolExecutor(AT_A_TIME) as pool:
            frames = list(pool.map(decoded, range(1, len(files) + 1), files))
        try:
            photo, anchor = merge_scene(frames, deadline.check)
        except MisalignedError as error:
            raise RequestError(str(error)) from None
        coarse, pixels = shrink(photo), as_bytes(photo)
        self.door.enter(pixels.nbytes, deadline, chosen)
        return {"PIXELS": pixels, "COARSE": coarse, "IMAGE": np.frombuffer(files[anchor], np.uint8)}
