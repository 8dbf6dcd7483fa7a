# %% [markdown]
# # 6. Breaking the log, and catching it
#
# **If somebody edits the past, does anybody notice?**
#
# A record is worth as much as the trust that nobody changed it. This notebook plays the thief: it edits the log three times, each
# time better, and looks who notices: the database, `check`, or the **ledger**.

# %%
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from serverdomain import Actor, Context, CreateServer, RebuildServer, Servers
from serverdomain.adapters.charts import tree
from serverdomain.testing import ManualClock

OLD, NEW = "f90f6034-2570-4974-8351-6b49732ef2eb", "70a599e0-31e7-49b7-b260-868f441e862b"
WEB = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
folder = TemporaryDirectory()
path, evidence = Path(folder.name, "cloud.db"), Path(folder.name, "safe")
evidence.mkdir()  # What lies here belongs on another machine, where the thief cannot write.

# %%
clock = ManualClock()
with Servers.open(path, clock=clock) as servers:
    owner = Actor("fake", "openstack")
    asked = CreateServer(server_id=WEB, name="web", image_id=OLD, flavor_id="1")
    servers.create(asked, Context(owner, "req-create"))
    servers.report_built(WEB, Context(owner, "req-built"))
    clock.advance(60)
    servers.rebuild(WEB, RebuildServer(image_id=NEW, name="foobar"), Context(owner, "req-rebuild"))
    clock.advance(60)
    servers.complete_rebuild(WEB, Context(owner, "req-complete"))
    servers.rename(WEB, "web-2", Context(owner, "req-rename"))
    made = servers.ledger.checkpoint(evidence / "ledger.key", evidence / "monday")
print(made.checkpoint.size, "events are signed")

# %% [markdown]
# That last call made a **checkpoint**: one number over all events, signed with a key. The number is the root of a tree. Each event
# is hashed, that is, turned into a number that no other text gives. Two neighbours are hashed together, then pairs of pairs, up to
# a single root. Change one letter anywhere, and the root is another.

# %%
with Servers.open(path, read_only=True) as servers:
    names = [entry.name for entry in sorted(servers.history(WEB), key=lambda entry: entry.position)]
tree("The tree that was signed", names)

# %% [markdown]
# ## First try: a plain edit
#
# The thief wants the rebuild to have been asked for by somebody else. The database itself says no.


# %%
def edit(*statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


blame = "UPDATE commands SET user_id = 'guest' WHERE request_id = 'req-rebuild'"
try:
    edit(blame)
except sqlite3.IntegrityError as no:
    print(no)

# %% [markdown]
# ## Second try: remove the guards
#
# Whoever can write the file can remove what guards it. Then the edit goes through. `check` reads the whole log and looks whether it
# is in order: it misses the guard. `ledger.verify` knows more: *which* events are not as they were signed.


# %%
def looked_at():
    with Servers.open(path, read_only=True) as servers:
        verdict = servers.ledger.verify(evidence / "monday", [evidence / "ledger.key.pub"])
        return [str(one) for one in servers.check()], [str(one) for one in verdict.problems]


(guard,) = [
    sql
    for name, sql in sqlite3.connect(path).execute("SELECT name, sql FROM sqlite_master")
    if name == "commands_no_update"
]
edit("DROP TRIGGER commands_no_update", blame)
found, altered = looked_at()
print("check: ", *found)
print("ledger:", *altered)

# %% [markdown]
# ## Third try: put the guards back
#
# A careful thief restores the guard afterwards. Now the log is in perfect order, and `check` has nothing to say. Its history is a
# lie, and it looks like any other.

# %%
edit(guard)
found, altered = looked_at()
print("check: ", *found or ["everything holds"])
print("ledger:", *altered)

# %% [markdown]
# The signature still tells. The thief cannot make another checkpoint, because the key is elsewhere. In the tree, the three events of
# that request are others now, and so is every hash above them, up to the root:

# %%
tree("What the edit changed", names, marked=[2, 3, 4])

# %% [markdown]
# ## What to remember
#
# Guards stop mistakes. A check finds disorder. Only a signature that was kept elsewhere shows a careful edit. And none of them shows
# whether a fact was true when it was written.

# %%
assert names[2:5] == ["RebuildRequested", "ImageChanged", "ServerRenamed"]
assert found == [] and len(altered) == 1 and altered[0].startswith("3-5")
with Servers.open(path, read_only=True) as servers:
    assert servers.history(WEB)[2].user_id == "guest", "the lie is what everybody reads"

# %% [markdown]
# ## Exercises
#
# **1.** Undo the edit, guards included. What does the ledger say then?
#
# <details><summary>Answer</summary>
#
# Nothing: the events are as they were signed. It compares, and keeps no grudge.
#
# ```python
# edit("DROP TRIGGER commands_no_update", blame.replace("'guest'", "'fake'"), guard)
# assert looked_at() == ([], [])
# ```
#
# </details>
#
# **2.** Which of the three would notice that the *last* event was cut off, if its guard is put back?
#
# <details><summary>Answer</summary>
#
# The ledger, as long as the checkpoint covers it. An event after the last checkpoint can be cut off unnoticed: so make one often.
#
# ```python
# with closing(sqlite3.connect(path)) as connection:
#     guards = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
# drop = [f"DROP TRIGGER {name}" for name in guards]
# last = "(SELECT MAX(position) FROM stored_events)"
# orphans = "DELETE FROM commands WHERE command_id NOT IN (SELECT command_id FROM stored_events)"
# edit(*drop, f"DELETE FROM stored_events WHERE position = {last}", orphans, *guards.values())
# assert looked_at()[1] != []
# ```
#
# </details>
#
# **3.** Why must `ledger.key` not lie beside the log?
#
# <details><summary>Answer</summary>
#
# Whoever has both edits the log and signs it again. Then the lie is what is signed.
#
# ```python
# with Servers.open(path) as servers:
#     servers.ledger.checkpoint(evidence / "ledger.key", evidence / "tuesday")
#     forged = servers.ledger.verify(evidence / "tuesday", [evidence / "ledger.key.pub"])
# assert forged.problems == ()
# ```
#
# </details>
