# shellcheck shell=bash
# Checks that are printed as they pass or fail. Sourced.

passed=0 failed=0

ok() { passed=$((passed + 1)); printf 'ok    %s\n' "$*"; }
not_ok() { failed=$((failed + 1)); printf 'FAIL  %s\n' "$*"; }

# Asks until the answer matches the pattern.
eventually() { # SECONDS WHAT PATTERN COMMAND...
  local deadline=$((SECONDS + $1)) what=$2 pattern=$3 answer
  shift 3
  while true; do
    answer=$("$@" 2>&1) || true
    # shellcheck disable=SC2053 # a pattern, and not a string
    if [[ $answer == $pattern ]]; then ok "$what: $answer"; return; fi
    [ $SECONDS -lt $deadline ] || break
    sleep 0.5
  done
  not_ok "$what: expected $pattern, found $answer"
}

# Asks once.
expect() { # WHAT PATTERN COMMAND...
  local what=$1 pattern=$2
  shift 2
  eventually 0 "$what" "$pattern" "$@"
}

summary() {
  printf '%d checks passed, %d failed\n' "$passed" "$failed"
  [ "$failed" = 0 ]
}
