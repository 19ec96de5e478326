#!/usr/bin/env bash
# Runs the checks and the tests in named stages and says how long each took. Called by the Makefile.
#   tests/run.sh all | check | sqlite [PYTEST ARGUMENTS] | postgres [PYTEST ARGUMENTS]
# PYTEST_WORKERS says how many tests run at once (2).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=$PWD/.venv/bin
export PATH=$bin:$PATH:/usr/sbin:/sbin
parallel=(-n "${PYTEST_WORKERS:-2}" --dist loadfile)

# A stage is one line of output when all is well, and everything it said when not.
quiet() {
  local name=$1 began=$SECONDS output
  shift
  if output=$("$@" 2>&1 </dev/null); then
    printf '   %-22s %3d s\n' "$name" $((SECONDS - began))
  else
    printf '%s\n   %-22s FAILED\n' "$output" "$name"
    return 1
  fi
}

loud() {
  local name=$1 began=$SECONDS
  shift
  echo "== $name"
  "$@" || { echo "== $name: FAILED after $((SECONDS - began)) s"; return 1; }
  echo "== $name: $((SECONDS - began)) s"
}

# What a server's settings look like; `check --deploy` must have nothing to say about them.
as_in_production() {
  env -u DATABASE_URL \
    OPENHOURS_SECRET_KEY=for-this-check-only-2b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da5 \
    OPENHOURS_URL=https://hours.example.org OPENHOURS_DEMO=false OPENHOURS_DATA="$scratch" \
    EMAIL_URL=smtp://localhost:25 DJANGO_SETTINGS_MODULE=portal.settings "$@"
}

check() {
  local failed=0
  scratch=$(mktemp -d)
  quiet "ruff check" ruff check . || failed=1
  quiet "ruff format" ruff format --check . || failed=1
  quiet "mypy" as_in_production mypy || failed=1
  quiet "import layers" lint-imports || failed=1
  quiet "migrations" as_in_production python manage.py makemigrations --check --dry-run || failed=1
  quiet "check --deploy" as_in_production python manage.py check --deploy --fail-level WARNING || failed=1
  quiet "translations" as_in_production python portal/deploy/translations.py check || failed=1
  quiet "links in documents" python portal/deploy/links.py || failed=1
  rm -rf "$scratch"
  return $failed
}

# Tests marked pure touch no database of the site, so the second pass leaves them out.
sqlite() { env -u DATABASE_URL python -m pytest "${parallel[@]}" "$@"; }
postgres() { python -m tests.postgres python -m pytest "${parallel[@]}" -m "not pure" "$@"; }

stage=${1:-all}
[ $# = 0 ] || shift
case $stage in
  all) loud check check && loud "suite on SQLite" sqlite && loud "suite on PostgreSQL" postgres ;;
  check) loud check check ;;
  sqlite | postgres) loud "suite on $stage" "$stage" "$@" ;;
  *) echo "usage: tests/run.sh all|check|sqlite|postgres [pytest arguments]" >&2; exit 2 ;;
esac
