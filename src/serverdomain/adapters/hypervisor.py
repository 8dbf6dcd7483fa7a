"""The former name of `serverdomain.simulation.hypervisor`, which goes on working."""

from serverdomain.simulation.hypervisor import SimulatedHypervisor

__all__ = ["SimulatedHypervisor"]
