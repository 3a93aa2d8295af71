"""Segmenters that are networks: any ONNX file, and Segment Anything 2. Both are optional extras."""
