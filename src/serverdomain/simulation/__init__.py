"""The made-up cloud: a hypervisor that finishes work, a clock that is moved, and fleets."""
