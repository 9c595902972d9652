"""styles: the names of the published networks and what is known of them, for a menu or a list."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from serving.cards import card
from serving.triton import Tensors, answer, served_styles


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self.repository = Path(args["model_repository"]).parent

    def execute(self, requests: list[Any]) -> list[Any]:
        return [answer(request, self.cards) for request in requests]

    def cards(self, _request: Any) -> Tensors:
        found = [card(self.repository, *each) for each in served_styles(self.repository).items()]
        return {"CARDS": np.array([json.dumps(found)], np.object_)}
