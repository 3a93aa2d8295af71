"""What runs inside a host, with its standard library alone; empty until the node is built."""
