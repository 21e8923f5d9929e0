"""A worker, the steps that it yields, the system that it belongs to, and the properties that should hold."""
