"""A fleet that never was: three years of a cloud, made from a seed, for trying things on.

`cloud` says what there is (projects, people, hosts, images), `life` what is asked of one server,
and `generation` asks it: every command is decided and folded as any other, by the same two
functions. The same number of servers and seed give the same log, every column of it.
"""

from serverdomain.simulation.fleet.generation import Generated, checked, generate

__all__ = ["Generated", "checked", "generate"]
