"""Transitions: what can happen next, what it does, and how a schedule is written down and replayed."""
