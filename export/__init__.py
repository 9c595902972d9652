"""From a trained checkpoint to a validated model in the model repository: ONNX, FP16, TensorRT plan, publish."""
