"""The door to the queue of `tiler`, for the models in front of it: photos without room are turned away, and counted."""

from collections.abc import Mapping

from serving.metrics import Counter
from serving.options import Options
from serving.triton import Deadline, Full, setting
from serving.waiting import WaitingRoom


class Door:
    """The room in which photos wait for `tiler`, as the model's config.pbtxt bounds it.

    Args:
        args: of the model's initialize.
    """

    def __init__(self, args: Mapping[str, str]) -> None:
        megabytes, photos = float(setting(args, "max_waiting_megabytes")), int(setting(args, "max_waiting_photos"))
        self._room = WaitingRoom(int(megabytes * 1e6), photos)
        self._decoded = Counter("enhancer_photos_decoded_total", "Photos for the queue of tiler, even if it is full")

    def check(self, chosen: Options) -> None:
        """Before any work on a photo.

        Raises:
            Full: there is no room even now.
        """
        if self._room.is_full():
            self._turn_away(chosen)

    def enter(self, photo_bytes: int, deadline: Deadline, chosen: Options) -> None:
        """A photo of so many bytes is about to wait.

        Raises:
            Full: there is no room for it.
        """
        if not self._room.enter(photo_bytes, deadline.left_s()):
            self._turn_away(chosen)
        self._decoded.add(1, mode=chosen.mode)

    def _turn_away(self, chosen: Options) -> None:
        self._decoded.add(1, mode=chosen.mode)
        raise Full("the server has as many photos waiting as it can hold: try again in a few seconds")
