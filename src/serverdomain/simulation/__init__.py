"""The made-up cloud: a hypervisor, a clock that is moved, a fleet with a past."""
