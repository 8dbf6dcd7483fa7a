"""The optional guards: triggers that refuse what nobody needs, where an engine has triggers.

What they guard holds without them: who writes through this library never does otherwise, and the
grants of docs/postgresql.md leave little else. They need ``plpgsql``, which is not standard SQL; so
it stands in this file alone.
"""

from __future__ import annotations

_REFUSE = """
CREATE FUNCTION {schema}.serverdomain_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP;
END $$
"""

# At the end of a statement the counter stands where the rows end: it neither skips nor goes back.
_HEAD = """
CREATE FUNCTION {schema}.serverdomain_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.moved_to IS NOT NULL THEN
        RAISE EXCEPTION 'the log went to %', OLD.moved_to;
    END IF;
    IF NEW.position < OLD.position OR NEW.command_id < OLD.command_id
        OR NEW.recorded_at < OLD.recorded_at
        OR NEW.position <> (SELECT COALESCE(MAX(position), 0) FROM {schema}.stored_events)
        OR NEW.command_id <> (SELECT COALESCE(MAX(command_id), 0) FROM {schema}.commands)
    THEN
        RAISE EXCEPTION 'head only grows, with the rows of its own statement';
    END IF;
    RETURN NULL;
END $$
"""

# Nothing is put behind the counter's back, and no position is left out.
_ROWS = """
CREATE FUNCTION {schema}.serverdomain_rows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    first bigint;
    last bigint;
    many bigint;
BEGIN
    SELECT MIN(position), MAX(position), COUNT(*) INTO first, last, many FROM added;
    IF many > 0 AND (last - first + 1 <> many
        OR NOT EXISTS (SELECT 1 FROM {schema}.head WHERE position = last)
        OR first - 1 <> (
            SELECT COALESCE(MAX(position), 0) FROM {schema}.stored_events WHERE position < first
        ))
    THEN
        RAISE EXCEPTION 'stored_events is append-only: positions follow without a gap';
    END IF;
    RETURN NULL;
END $$
"""

FUNCTIONS = (_REFUSE, _HEAD, _ROWS)

TRIGGERS = {
    **{
        f"{table}_append_only": (
            f"CREATE TRIGGER {table}_append_only BEFORE {what} ON {{schema}}.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION {schema}.serverdomain_refuse()"
        )
        for table, what in (
            ("stored_events", "UPDATE OR DELETE OR TRUNCATE"),
            ("commands", "UPDATE OR DELETE OR TRUNCATE"),
            ("log", "INSERT OR UPDATE OR DELETE OR TRUNCATE"),
            ("head", "INSERT OR DELETE OR TRUNCATE"),
        )
    },
    "head_grows": (
        "CREATE TRIGGER head_grows AFTER UPDATE ON {schema}.head"
        " FOR EACH ROW EXECUTE FUNCTION {schema}.serverdomain_head()"
    ),
    "stored_events_follow": (
        "CREATE TRIGGER stored_events_follow AFTER INSERT ON {schema}.stored_events"
        " REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION {schema}.serverdomain_rows()"
    ),
}
"""Each guard by its name, as SQL; made once the tables hold what they begin with."""
