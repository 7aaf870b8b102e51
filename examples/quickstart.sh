#!/usr/bin/env bash
# Fine-tunes a tiny chat model in a cluster inside one process, and shows what that changed.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
manifest=$root/examples/quickstart.yaml
model=$root/examples/models/tiny-chat
out=$root/.finetune/quickstart
application=$root/local/target/quarkus-app/quarkus-run.jar
trainer_jar=$root/trainer-image/target/trainer.jar
trainer=$root/trainer-image/bin/trainer
questions=("Who are you?" "Hello!" "你是谁？")

usage() {
  cat <<EOF
Usage: examples/quickstart.sh [--context NAME [--namespace NAME]]

Applies examples/quickstart.yaml and shows the FineTuneJob's status until it ends, then the answers of
the model before and after. Exits with 0 only if the FineTuneJob reached Succeeded.

Without an option it needs a JDK 17 or newer and Maven (Linux on x86-64): it builds what is not built
yet, and starts a cluster inside one process. The result lies in .finetune/quickstart, which each run
clears first.

  --context NAME    apply to a real cluster instead, with kubectl and this context of its
                    configuration. The operator, the CRD and the claims of examples/pvc.yaml must be
                    there, and examples/models and examples/data copied into "models" and "data".
  --namespace NAME  the namespace for --context. Default: the context's own
  --help            print this
EOF
}

fail() {
  echo "quickstart: $*" >&2
  exit 1
}

on_cluster() {
  command -v kubectl >/dev/null || fail "--context needs kubectl, and there is none on the PATH"
  local kubectl=(kubectl --context "$1")
  if [ -n "$2" ]; then kubectl+=(--namespace "$2"); fi
  "${kubectl[@]}" apply --server-side -f "$manifest"
  local phase='' row='' last=''
  while :; do
    row=$("${kubectl[@]}" get finetunejob quickstart --no-headers)
    if [ "$row" != "$last" ]; then
      echo "$row"
      last=$row
    fi
    phase=$("${kubectl[@]}" get finetunejob quickstart -o 'jsonpath={.status.phase}')
    case $phase in Succeeded | Failed) break ;; esac
    sleep 2
  done
  "${kubectl[@]}" get finetunejob quickstart -o yaml
  [ "$phase" = Succeeded ]
}

find_java() {
  java=${JAVA_HOME:+$JAVA_HOME/bin/java}
  java=${java:-java}
  command -v "$java" >/dev/null ||
    fail "no Java found; install a JDK 17 or newer (Debian: apt install openjdk-17-jdk), or set JAVA_HOME"
  local version
  version=$("$java" -XshowSettings:properties -version 2>&1 |
    sed -n 's/^ *java.specification.version = \(1\.\)\{0,1\}\([0-9]*\).*/\2/p')
  [ "${version:-0}" -ge 17 ] ||
    fail "$java is Java ${version:-unknown}; a JDK 17 or newer is needed, point JAVA_HOME at one"
}

# Whether a jar is missing, or older than what it is built from.
stale() {
  [ ! -f "$1" ] || [ -n "$(find "$root/pom.xml" "${@:2}" -newer "$1" -print -quit)" ]
}

build() {
  if ! stale "$application" "$root"/{crds,operator,local}/{pom.xml,src} &&
    ! stale "$trainer_jar" "$root"/{crds,trainer-image}/{pom.xml,src}; then
    return
  fi
  command -v mvn >/dev/null ||
    fail "no Maven found, which builds the operator and the trainer (Debian: apt install maven)"
  echo "building the operator and the trainer (the first time Maven downloads about 500 MB) ..."
  local start=$SECONDS log=$out/build.log
  # Neither the checks of the sources' format nor the operator's own application are needed here.
  (cd "$root" && mvn -B -pl local,trainer-image -am -DskipTests -Dspotless.check.skip \
    -Doperator.application.skip package) >"$log" 2>&1 &
  child=$!
  while kill -0 "$child" 2>/dev/null; do
    sleep 2
    building "$log" "$start"
  done
  if ! wait "$child"; then
    tail -n 30 "$log" >&2
    fail "the build failed; its log is $log"
  fi
  child=
  # An up-to-date jar isn't written again; its time says when it was last found to be so.
  touch "$application" "$trainer_jar"
  [ ! -t 1 ] || printf '\r\033[2K'
  echo "built in $((SECONDS - start)) s"
}

# One line for the build: the module that Maven is at.
building() {
  local module
  module=$(sed -n 's/^\[INFO\] Building \(finetune-operator[^[]*\).*/\1/p' "$1" | tail -n 1)
  if [ -t 1 ]; then
    printf '\r\033[2K  %4d s  %s' $((SECONDS - $2)) "$module"
  elif [ "$module" != "${shown:-}" ]; then
    printf '  %4d s  %s\n' $((SECONDS - $2)) "$module"
    shown=$module
  fi
}

run() {
  local bar=--no-bar
  if [ -t 1 ]; then bar=--bar; fi
  # Fast to start matters more here than fast for long: the training is in another process.
  "$java" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx256m \
    -Djava.util.logging.manager=org.jboss.logmanager.LogManager -jar "$application" \
    run --apply "$manifest" --data "$out" --trainer "$trainer" \
    --claim "models=$root/examples/models" --claim "data=$root/examples/data" "$bar" &
  child=$!
  local code=0
  wait "$child" || code=$?
  child=
  return $code
}

answers() {
  local prompts=() question
  for question in "${questions[@]}"; do prompts+=(--prompt "$question"); done
  "$trainer" infer --model "$model" --max_new_tokens 80 "$@" "${prompts[@]}"
}

compare() {
  local before after
  before=$(answers)
  after=$(answers --adapter "$1")
  echo
  paste -d '\t' <(echo "$before") <(echo "$after") |
    while IFS=$'\t' read -r base tuned; do
      case $base in
        '> '*) printf '\n%s\n' "${base#> }" ;;
        *) printf '  before  %s\n  after   %s\n' "$base" "$tuned" ;;
      esac
    done
}

# Ctrl-C reaches the whole group; a kill of this script alone must end the others as well.
finish() {
  local code=$?
  if [ -n "${child:-}" ]; then
    kill "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  exit $code
}

context=
namespace=
while [ $# -gt 0 ]; do
  case $1 in
    --context | --namespace)
      [ $# -gt 1 ] || fail "$1 needs a NAME"
      if [ "$1" = --context ]; then context=$2; else namespace=$2; fi
      shift 2
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      fail "unknown option $1"
      ;;
  esac
done

if [ -n "$context" ]; then
  on_cluster "$context" "$namespace"
  exit
fi

child=
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
find_java
rm -rf "$out"
mkdir -p "$out"
build
run
adapter=$out/volumes/results/quickstart/adapter
compare "$adapter"
cat <<EOF

The adapter is in ${adapter#"$root"/}, in PEFT's format.
Next: ask it something yourself,
  trainer-image/bin/trainer infer --model examples/models/tiny-chat --adapter ${adapter#"$root"/} --prompt "Tell me a story."
change examples/quickstart.yaml and run this again, or see examples/README.md for larger models.
EOF
