"""The network at run time: weights, device, a frame at the cost of its unknown region."""
