"""A worker, the steps that it yields, the system that it belongs to, and what should be true of it."""
