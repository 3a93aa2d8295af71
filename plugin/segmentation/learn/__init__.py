"""A network that is taught the shot's key frames carries their masks through the shot."""
