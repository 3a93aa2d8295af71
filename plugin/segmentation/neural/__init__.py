"""Networks that segment: ONNX files, Segment Anything 2 and its prompts."""
