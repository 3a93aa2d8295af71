"""What leaves the house: shippable weights, ONNX."""
