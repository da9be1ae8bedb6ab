-- Run once by the database container on an empty volume: one role and one schema for each service, and for no service
-- anything of another's. The passwords come from files, so that no secret stands in a configuration.

REVOKE ALL ON DATABASE lasegue FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

\set password `cat /run/secrets/postgres-intake`
CREATE ROLE intake LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE lasegue TO intake;
CREATE SCHEMA intake AUTHORIZATION intake;
ALTER ROLE intake SET search_path = intake;

\set password `cat /run/secrets/postgres-assessment`
CREATE ROLE assessment LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE lasegue TO assessment;
CREATE SCHEMA assessment AUTHORIZATION assessment;
ALTER ROLE assessment SET search_path = assessment;

\set password `cat /run/secrets/postgres-scheduling`
CREATE ROLE scheduling LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE lasegue TO scheduling;
CREATE SCHEMA scheduling AUTHORIZATION scheduling;
ALTER ROLE scheduling SET search_path = scheduling;

\set password `cat /run/secrets/postgres-alerting`
CREATE ROLE alerting LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE lasegue TO alerting;
CREATE SCHEMA alerting AUTHORIZATION alerting;
ALTER ROLE alerting SET search_path = alerting;
