-- What keeps the services' roles out of each other's way, after init.sql. It may be run again, and has to be on a volume
-- that an earlier version made: docs/operations.md, Upgrading.

-- The server's own databases are for its operators.
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;

-- No role takes all of the 200 connections of deploy/compose.yaml: each has those of two replicas (10 each), as many again
-- for replicas before them of which the server does not know yet that they are gone, 2 for a migration, 3 for an operator.
-- 20 stay for the superuser and his dumps.
ALTER ROLE intake CONNECTION LIMIT 45;
ALTER ROLE assessment CONNECTION LIMIT 45;
ALTER ROLE scheduling CONNECTION LIMIT 45;
ALTER ROLE alerting CONNECTION LIMIT 45;
