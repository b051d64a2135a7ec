-- The database role of hawatch, with no more than it needs, on PostgreSQL 15
-- and newer. On older versions ALTER SYSTEM and CHECKPOINT cannot be granted:
-- there the role has to be a superuser.
--
-- Run once on the primary, in the database that hawatch.conf names:
--   psql -f role.sql
-- It logs in by the Unix socket and, for the replay probe and the view of the
-- other host, by TCP from the other nodes' addresses: see pg_hba.conf.

CREATE ROLE hawatch LOGIN;

-- Status of replication and of the walreceiver.
GRANT pg_monitor TO hawatch;

-- synchronous_standby_names: written, looked at in the file, loaded.
GRANT ALTER SYSTEM ON PARAMETER synchronous_standby_names TO hawatch;
GRANT SELECT ON pg_file_settings TO hawatch;
GRANT EXECUTE ON FUNCTION pg_show_all_file_settings() TO hawatch;
GRANT EXECUTE ON FUNCTION pg_reload_conf() TO hawatch;

-- primary_conninfo: read, and pointed at the new primary after a takeover by
-- a third node. Reading it is part of pg_monitor.
GRANT ALTER SYSTEM ON PARAMETER primary_conninfo TO hawatch;

-- The probe that sees a commit wait for the standby.
GRANT EXECUTE ON FUNCTION pg_wal_replay_pause() TO hawatch;
GRANT EXECUTE ON FUNCTION pg_wal_replay_resume() TO hawatch;

-- Promotion, and the checkpoint after it.
GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO hawatch;
GRANT pg_checkpoint TO hawatch;

-- In the database of repmgr, where it is used:
--   GRANT USAGE ON SCHEMA repmgr TO hawatch;
--   GRANT SELECT ON repmgr.nodes TO hawatch;
