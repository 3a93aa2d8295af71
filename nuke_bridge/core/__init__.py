"""What every host needs and no host knows of; `nuke_bridge.protocol` lists it."""
