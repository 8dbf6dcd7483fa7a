"""A made-up fleet: three years of a cloud, made from a seed, to try things on.

`surroundings` says what there is (projects, people, hosts, images), `life` what is asked of one
server, and `generation` asks it. The same two functions as ever decide and fold each command. The
same number of servers and the same seed give the same log, down to every column.
"""

from serverdomain.simulation.fleet.generation import Generated, generate, require_number

__all__ = ["Generated", "generate", "require_number"]
