#!/usr/bin/env bash
# Writes the secrets that are missing into secrets/; those that are there stay as they are.
#
# Only the owner of the folder enters it. The files in it can be read by everyone who gets there:
# the accounts in the containers, which see no more than the files that they were given.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

for name in proxy_token service_token service_cookie_secret hub_cookie_secret db_password \
  db_admin_password first_password first_admin_password; do
  if [ ! -s "secrets/$name" ]; then
    openssl rand -hex 32 >"secrets/$name"
    echo "made secrets/$name"
  fi
  chmod 444 "secrets/$name"
done
