#!/usr/bin/env bash
# What a deploy runs before it starts the server; safe to run again.
set -euo pipefail
cd "$(dirname "$0")"

pip install --require-hashes -r requirements.lock
python manage.py collectstatic --no-input
python manage.py migrate --no-input
python manage.py check --tag database --database default
python manage.py ensure_superuser
python manage.py create_user_profiles
