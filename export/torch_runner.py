"""PyTorch as a Polygraphy runner, apart from the others: the image that builds plans has no PyTorch."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from numpy.typing import NDArray
from polygraphy.backend.base import BaseRunner
from polygraphy.common import TensorMetadata

from export.compare import Feed
from export.contract import Contract


class TorchRunner(BaseRunner):  # type: ignore[misc]  # Polygraphy has no types
    """PyTorch on any device; Polygraphy's own PytRunner moves every input to a GPU.

    Args:
        network: takes the contract's inputs in order, returns its one output; in evaluation mode, on the device.
        contract: names and shapes.
        device: "cpu" or "cuda".
        autocast: BF16 where PyTorch's own list says so.
    """

    def __init__(
        self, network: Callable[..., torch.Tensor], contract: Contract, device: str = "cpu", *, autocast: bool = False
    ) -> None:
        super().__init__(name="pytorch")
        self.network = network
        self.contract = contract
        self.device = device
        self.autocast = autocast

    def get_input_metadata_impl(self) -> TensorMetadata:
        """Names, types and shapes of the contract, the batch axis open."""
        metadata = TensorMetadata()
        for tensor in self.contract.inputs:
            metadata.add(tensor.name, dtype=tensor.dtype, shape=(-1, *tensor.shape))
        return metadata

    def infer_impl(self, feed_dict: Feed) -> "OrderedDict[str, NDArray[Any]]":
        """Run one batch, which starts and ends in the host's memory."""
        inputs = [torch.from_numpy(feed_dict[tensor.name]).to(self.device) for tensor in self.contract.inputs]
        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            output = self.network(*inputs)
        self.inference_time = 0.0  # whoever wants to know takes the time around the call
        return OrderedDict({self.contract.outputs[0].name: output.cpu().numpy()})
