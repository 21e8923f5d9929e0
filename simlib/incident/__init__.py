"""The incident room: one symptom, a catalogue of faults that all cause it, checks that cost minutes, and a commitment
to a boundary before a fix. It runs systems and compares what is seen; it draws nothing."""

from __future__ import annotations

from simlib.incident.catalogue import BOUNDARIES, Case, Catalogue, Check, Fault, World, fault
from simlib.incident.plans import Path, Plans, Step
from simlib.incident.session import Incident

__all__ = ["BOUNDARIES", "Case", "Catalogue", "Check", "Fault", "Incident", "Path", "Plans", "Step", "World", "fault"]
