#!/bin/sh
# Runs once, when the server of the database is made: the service signs in as a role that owns its
# own database and is no superuser, so that row-level security holds for it.
set -eu
psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
  --set password="$(cat /run/secrets/db_password)" <<'SQL'
CREATE ROLE ppo LOGIN PASSWORD :'password';
CREATE DATABASE ppo OWNER ppo ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE ppo FROM PUBLIC;
SQL
