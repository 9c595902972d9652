"""PyTorch as one of Polygraphy's engines."""

from collections import OrderedDict
from typing import Any

import torch
from numpy.typing import NDArray
from polygraphy.backend.base import BaseRunner
from polygraphy.common import TensorMetadata

from export.compare import Feed
from export.contract import Contract


class TorchRunner(BaseRunner):  # type: ignore[misc]  # Polygraphy has no types
    """PyTorch on the CPU; Polygraphy's own PytRunner moves every input to a GPU.

    Args:
        network: takes the contract's inputs in order, returns its one output.
        contract: names and shapes.
    """

    def __init__(self, network: torch.nn.Module, contract: Contract) -> None:
        super().__init__(name="pytorch")
        self.network = network
        self.contract = contract

    def activate_impl(self) -> None:
        """Keep to evaluation mode, as the export does."""
        self.network.eval()

    def get_input_metadata_impl(self) -> TensorMetadata:
        """Names, types and shapes of the contract, the batch axis open."""
        metadata = TensorMetadata()
        for tensor in self.contract.inputs:
            metadata.add(tensor.name, dtype=tensor.dtype, shape=(-1, *tensor.shape))
        return metadata

    def infer_impl(self, feed_dict: Feed) -> "OrderedDict[str, NDArray[Any]]":
        """Run one batch."""
        with torch.inference_mode():
            output = self.network(*(torch.from_numpy(feed_dict[tensor.name]) for tensor in self.contract.inputs))
        self.inference_time = 0.0  # not a benchmark
        return OrderedDict({self.contract.outputs[0].name: output.numpy()})
