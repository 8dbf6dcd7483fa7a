# %% [markdown]
# # 7. Changing an event's shape without touching history
#
# **Requirements change. What becomes of the events that are written already?**
#
# A table is altered, and its rows with it. A log is never rewritten: what was signed must stay as it was signed, letter by letter.
# So the *reading* changes. An event is stored under a name with a version, `serverdomain:ServerRenamed:1`. A new shape is a new
# version, and a small function, an **upcast**, says how the old shape is read today.

# %%
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from serverdomain import Actor, Context, CreateServer, Servers, UnknownEvent
from serverdomain.domain.events import EVENTS, Event
from serverdomain.store.codec import Codec

IMAGE = "f90f6034-2570-4974-8351-6b49732ef2eb"
folder = TemporaryDirectory()
path = Path(folder.name, "cloud.db")
with Servers.open(path) as servers:
    creation = CreateServer(name="web", image_id=IMAGE, flavor_id="1")
    web = servers.create(creation, Context(Actor("fake", "openstack"), "req-1")).id
    servers.rename(web, "web-2", Context(Actor("fake", "openstack"), "req-2"))

# %% [markdown]
# This is how a rename lies in the log: the name of the event, its version, and its members.


# %%
def stored(kind):
    with closing(sqlite3.connect(path)) as log:
        asked = "SELECT topic, state FROM stored_events WHERE topic LIKE ?"
        return log.execute(asked, (f"serverdomain:{kind}:%",)).fetchone()


topic, state = stored("ServerRenamed")
fingerprint = hashlib.sha256(state.encode()).hexdigest()
print(topic, state)

# %% [markdown]
# ## Version 2: a reason
#
# An auditor asks that whoever renames a server says why. The new shape has one member more. Old renames have no reason, and nobody
# may make one up: the upcast says what is true, namely that none was given.


# %%
class ServerRenamedV2(Event, frozen=True):
    """The server has another name, for a reason; ``None`` if nobody was asked for one."""

    name: str
    reason: str | None


def no_reason_was_asked_for(members):
    return {**members, "reason": None}


today = Codec(
    {**EVENTS, "ServerRenamed": ServerRenamedV2}, {"ServerRenamed": (no_reason_was_asked_for,)}
)
print(today.decode(topic, state, position=2))
print(*today.encode(ServerRenamedV2("web-3", "the team has a new name")))

# %% [markdown]
# The old bytes are read in the new shape, and new facts are written as version 2. Both lie in one log.
#
# ## Version 3: another structure
#
# A year later names come in two languages. Again one step, from version 2 to version 3. A stored version 1 walks both steps. Each step
# is written once and never changes, because the events that it reads never do.


# %%
class ServerRenamedV3(Event, frozen=True):
    """The server has other names, by language."""

    names: dict[str, str]
    reason: str | None


def a_name_became_english(members):
    return {"names": {"en": members["name"]}, "reason": members["reason"]}


later = Codec(
    {**EVENTS, "ServerRenamed": ServerRenamedV3},
    {"ServerRenamed": (no_reason_was_asked_for, a_name_became_english)},
)
written_by_2 = today.encode(ServerRenamedV2("web-3", "the team has a new name"))
print(later.decode(topic, state, position=2))
print(later.decode(*written_by_2, position=3))

# %% [markdown]
# ## And an old program?
#
# A program of yesterday that meets a version of tomorrow must not guess. It stops at that event and says which it is:

# %%
try:
    Codec().decode(*written_by_2, position=3)
except UnknownEvent as no:
    print(no)

# %% [markdown]
# Therefore a new release is installed everywhere before it writes a new version. That is the price for never touching history.
#
# ## What to remember
#
# Names of events are for good, shapes have versions, and old shapes are read through steps. What is stored stays as it is:

# %%
assert (
    stored("ServerRenamed")
    == (topic, state)
    == ("serverdomain:ServerRenamed:1", '{"name":"web-2"}')
)
assert hashlib.sha256(stored("ServerRenamed")[1].encode()).hexdigest() == fingerprint
assert today.decode(topic, state, 2) == ServerRenamedV2("web-2", None)
assert later.decode(topic, state, 2) == ServerRenamedV3({"en": "web-2"}, None)
assert today.encode(ServerRenamedV2("a", None))[0].endswith(":2")

# %% [markdown]
# ## Exercises
#
# **1.** A colleague proposes: no new version, just give `reason` a default in version 1. Old events could still be read. What is
# wrong with it?
#
# <details><summary>Answer</summary>
#
# Yesterday's program would read an event with a reason and silently overlook the reason: it looks like version 1.
#
# ```python
# with_reason = '{"name":"web-2","reason":"because"}'
# assert Codec().decode("serverdomain:ServerRenamed:1", with_reason, 2) == EVENTS["ServerRenamed"]("web-2")
# ```
#
# </details>
#
# **2.** Write the step to a version 4 in which `reason` may no longer be `None`, but is `"unknown"`.
#
# <details><summary>Answer</summary>
#
# ```python
# class ServerRenamedV4(Event, frozen=True):
#     names: dict[str, str]
#     reason: str
#
#
# def unknown_is_said(members):
#     return {**members, "reason": members["reason"] or "unknown"}
#
#
# steps = (no_reason_was_asked_for, a_name_became_english, unknown_is_said)
# fourth = Codec({"ServerRenamed": ServerRenamedV4}, {"ServerRenamed": steps})
# assert fourth.decode(topic, state, 2) == ServerRenamedV4({"en": "web-2"}, "unknown")
# ```
#
# </details>
#
# **3.** What happens if a stored event has no `name` at all, because a disk failed?
#
# <details><summary>Answer</summary>
#
# Then it is damage and no older shape, and it is told as that, with its position.
#
# ```python
# from serverdomain import StoreDamaged
#
# try:
#     Codec().decode("serverdomain:ServerRenamed:1", "{}", position=2)
# except StoreDamaged as no:
#     assert "position 2" in str(no)
# else:
#     raise AssertionError("it was read")
# ```
#
# </details>
