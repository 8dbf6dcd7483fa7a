"""The engine on PostgreSQL. Needs the extra ``postgres``."""
