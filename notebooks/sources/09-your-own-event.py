# %% [markdown]
# # 9. Designing your own event
#
# **How does a new kind of fact get into the house, from the idea to a table that people use?**
#
# Servers move from host to host, for maintenance. Today an inventory reports the new `host_id` afterwards, and nobody can say why
# it changed. We design the fact that is missing, in the order in which a contributor does: decide, name, fold, test, store, view.

# %%
from IPython.display import HTML
from msgspec.structs import replace
from sqlite_utils import Database

from serverdomain.domain import moment
from serverdomain.domain.document import changes
from serverdomain.domain.events import EVENTS, Event, ServerStopped
from serverdomain.domain.html import table
from serverdomain.domain.server import evolve
from serverdomain.errors import Conflict, UnknownEvent
from serverdomain.store.codec import CODEC, Codec
from serverdomain.testing import registered

# %% [markdown]
# ## Decide: a record of the decision
#
# A decision that others must live with is written down first, in a few sentences. Such a page is called an ADR, an architecture
# decision record.
#
# > **A server's move is a fact of its own.** *Context:* a move shows only as another `host_id`, reported later and without a
# > reason. *Decision:* `ServerMoved` says the host where it is now, and why it moved. It holds the new value only: where the server
# > came from is what the fold says before. *Consequences:* the name is for good. An inventory that reports the same host
# > afterwards changes nothing.
#
# ## Name: what happened, in the past tense
#
# Not `UpdateHost` (a command), not `HostIdChanged` (a column), but what an operator would say happened.


# %%
class ServerMoved(Event, frozen=True):
    """The server runs on another host, for a reason in an operator's words."""

    host_id: str
    reason: str


# %% [markdown]
# ## Fold: what the fact does to a server
#
# One line. The fold asks no rule and fails on nothing: what happened, happened.


# %%
def evolved(server, event, at):
    if isinstance(event, ServerMoved) and server is not None and not server.deleted:
        return replace(server, host_id=event.host_id, updated_micros=at)
    return server if isinstance(event, ServerMoved) else evolve(server, event, at)


# %% [markdown]
# ## Rule: what may be asked for
#
# The rule takes a server and what is asked, and gives facts, or raises. What changes nothing gives none.


# %%
def move(server, host_id, reason):
    if server is None or server.deleted:
        raise Conflict("there is no such server to move")
    if server.rebuild is not None:
        raise Conflict("a server in REBUILD cannot be moved")
    return () if server.host_id == host_id else (ServerMoved(host_id, reason),)


# %% [markdown]
# ## Test: given, when, then
#
# A test of a rule is a sentence: given what happened, when somebody asks, then this happens. No store is needed, nothing is
# imitated. In the house it is one line of `given(…).when(…).then(…)`; here we write it out.

# %%
START = moment.parse("2025-03-01T12:00:00Z")


def folded(*facts):
    server = None
    for second, fact in enumerate(facts):
        server = evolved(server, fact, START + second * 1_000_000)
    return server


given = folded(registered(host_id="host-1"))
then = move(given, "host-2", "a fan is broken")
assert then == (ServerMoved("host-2", "a fan is broken"),)
assert move(folded(registered(host_id="host-1"), *then), "host-2", "again") == (), "it is there"
assert folded(*then) is None, "before its beginning a server is not there"

# %% [markdown]
# ## Store: a name for good
#
# The codec knows each event by a permanent name. To add one is one line, and from then on a test keeps an example of its bytes, so
# that no later release can read them otherwise. A release without that line says that it does not know the event.

# %%
codec = Codec({**EVENTS, "ServerMoved": ServerMoved})
topic, state = codec.encode(then[0])
print(topic, state)
try:
    CODEC.decode(topic, state, position=2)
except UnknownEvent as no:
    print(no)

# %% [markdown]
# ## View: a table for those who ask
#
# Operators ask: which host is left most often, and why? A view is rows made from facts, one after another. *From* and *to* are not in
# the fact: they are what the fold says before and after it.

# %%
life = [
    registered(host_id="host-1"),
    ServerMoved("host-2", "a fan is broken"),
    ServerStopped(),
    ServerMoved("host-3", "a new rack"),
    ServerMoved("host-2", "the rack was too warm"),
]
view, server = Database(memory=True), None
for version, fact in enumerate(life, 1):
    before, server = server, evolved(server, fact, START + version * 1_000_000)
    if isinstance(fact, ServerMoved):
        (change,) = changes(before, server)
        row = {"version": version, "left": change.before, "to": change.after, "why": fact.reason}
        view["move"].insert(row, pk="version")

moves = list(view["move"].rows)
HTML(table("moves", list(moves[0]), (row.values() for row in moves)))

# %% [markdown]
# ## What to remember
#
# Decide and write down why; name what happened; one line of fold; a rule that is a function; tests that are sentences; a name for
# good; and only then tables. `CONTRIBUTING.md` lists the files and, for each, the test that fails first.

# %%
assert codec.decode(topic, state, 2) == then[0]
assert server.host_id == "host-2" and server.status == "SHUTOFF"
assert [row["why"] for row in view["move"].rows_where("\"to\" = 'host-2'")] == [
    "a fan is broken",
    "the rack was too warm",
]

# %% [markdown]
# ## Exercises
#
# **1.** Write the test for the rule that a server under rebuild cannot be moved.
#
# <details><summary>Answer</summary>
#
# ```python
# from serverdomain.domain.events import RebuildRequested
#
# rebuilding = folded(registered(), RebuildRequested("req-1", registered().image_id, "generated"))
# try:
#     move(rebuilding, "host-9", "maintenance")
# except Conflict as no:
#     assert "REBUILD" in str(no)
# else:
#     raise AssertionError("it moved")
# ```
#
# </details>
#
# **2.** A colleague wants `from_host` in the event, because that is handy. What speaks against it?
#
# <details><summary>Answer</summary>
#
# The same thing would stand twice, and one day differ: when a late fact takes its place in between, what the fold says before is
# right, and what was written is wrong.
#
# ```python
# late = [life[0], ServerMoved("host-7", "told late"), *life[1:]]
# assert folded(*late[:2]).host_id == "host-7", "so the move to host-2 came from there"
# ```
#
# </details>
#
# **3.** Ask the view: how many moves left each host?
#
# <details><summary>Answer</summary>
#
# ```python
# asked = 'SELECT "left", COUNT(*) FROM move GROUP BY 1 ORDER BY 1'
# assert view.execute(asked).fetchall() == [("host-1", 1), ("host-2", 1), ("host-3", 1)]
# ```
#
# </details>
