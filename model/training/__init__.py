"""Training: banks of pictures in device memory, composition on the device, the loop."""
