"""For tests of durable programs: virtual time, single steps, faults, seeded simulation.

``VirtualResonate`` is a ``Resonate`` without threads and without waiting: a blocking call runs the program until its
result is there, and time jumps to the next thing that is due. Thirty days of sleep take a millisecond.
"""

from __future__ import annotations

from resonate_core.testing.faults import Faults
from resonate_core.testing.simulation import Simulation, SimulationError
from resonate_core.testing.stage import Stage
from resonate_core.testing.virtual import StuckError, VirtualResonate

__all__ = ["Faults", "Simulation", "SimulationError", "Stage", "StuckError", "VirtualResonate"]
