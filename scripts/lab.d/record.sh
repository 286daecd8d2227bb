# Records what the real kafka-consumer-groups.sh prints, for the parser's tests.
# shellcheck shell=bash disable=SC2034,SC2153      # the parts share their variables

STARTED=()
spawn() { "$@" >/dev/null 2>&1 </dev/null & STARTED+=($!); }
end_spawned() {
  local pid
  for pid in "${STARTED[@]}"; do kill -CONT "$pid" && kill "$pid"; done 2>/dev/null || true
  for pid in "${STARTED[@]}"; do wait "$pid" || true; done 2>/dev/null
  STARTED=()
}

snap() { # SITUATION ARGUMENT…: with each tool of the broker at hand, as COMPONENT in TOOLS; of the situations in ONLY, if that is set
  local c rc base as
  case " ${ONLY:-$1} " in *" $1 "*) ;; *) return 0 ;; esac
  for c in $TOOLS; do
    base=$(kafka_of "$c") base=$RECORD/${base#*-}-$1
    rc=0
    as=()
    if [ -n "${SNAP_AS:-}" ]; then as=(setpriv "--reuid=$SNAP_AS" "--regid=$SNAP_AS" --clear-groups); fi
    # exec, so that a script that is not there is the shell's to tell, as on a host
    # shellcheck disable=SC2016
    env -i PATH=/usr/bin:/bin LC_ALL="${SNAP_LOCALE:-C.UTF-8}" ${SNAP_ENV:+"$SNAP_ENV"} "${as[@]}" timeout --foreground -k 5 90 \
      bash -c '"$@"' bash "${SNAP_PATH:-$(kafka_home "$c")}/bin/kafka-consumer-groups.sh" "${@:2}" </dev/null >"$base.out" 2>"$base.err" || rc=$?
    echo "$rc" >"$base.rc"
    sed -i "s|$CACHE/home/$INSTANCE|/opt|g; s|$RUN/record[.]|/opt/|g; s|$JAVA_17|/opt/java|g" "$base.out" "$base.err"
    printf '%s: %s, %s bytes\n' "${base##*/}" "$rc" "$(stat -c %s "$base.out")"
  done
}

consumer() { # GROUP PROPERTY…: reads orders-retry, needs no luck to be the only member
  local group=$1 properties=() p
  shift
  for p in "$@"; do properties+=(--consumer-property "$p"); done
  spawn "$HOME_HERE/bin/kafka-console-consumer.sh" --bootstrap-server "$B" --topic orders-retry --group "$group" "${properties[@]}"
}

record_broker() { # COMPONENT TOOLS
  local c=$1 odd='große Gruppe 1' include=--include mirror_home i
  TOOLS=$2 B=$(bootstrap "$c") HOME_HERE=$(kafka_home "$c") mirror_home=$(kafka_home source)
  if [ "$c" = k262 ]; then include=--whitelist mirror_home=$HOME_HERE; fi
  sed "s|^bootstrap.servers=.*|bootstrap.servers=$B|" "$mirror_home/config/mm.properties" >"$RUN/record.properties"

  echo 200 >"$RUN/record.rate"
  spawn "$JAVA_17/bin/java" -Xmx96m -cp "$TOOL:$CACHE/jars_$KAFKA/*" LabTool produce "$B" "$RUN/record.rate"
  spawn "$mirror_home/bin/kafka-mirror-maker.sh" --consumer.config "$RUN/record.properties" --producer.config "$mirror_home/config/mm-producer.properties" \
    --num.streams 2 --offset.commit.interval.ms 1000 "$include" 'orders|orders-retry|payments|clicks[.]v1'
  consumer uncommitted enable.auto.commit=false
  lab_java commit "$B" other orders:0:5 orders:17:0 clicks.v1:3:1
  lab_java commit "$B" "$odd" payments:0:1 payments:5:2
  lab_java commit "$B" ahead payments:0:5000000000
  sleep 15

  snap normal --bootstrap-server "$B" --describe --group oasis-group
  snap verbose --bootstrap-server "$B" --describe --verbose --group oasis-group
  snap members --bootstrap-server "$B" --describe --members --group oasis-group
  snap state --bootstrap-server "$B" --describe --state --group oasis-group
  snap uncommitted --bootstrap-server "$B" --describe --group uncommitted
  snap negative-lag --bootstrap-server "$B" --describe --group ahead
  snap unknown-group --bootstrap-server "$B" --describe --group nobody
  snap two-groups --bootstrap-server "$B" --describe --group oasis-group --group other
  snap two-groups-one-unknown --bootstrap-server "$B" --describe --group nobody --group other
  snap odd-group --bootstrap-server "$B" --describe --group "$odd"
  SNAP_LOCALE=C snap odd-group-posix --bootstrap-server "$B" --describe --group "$odd"
  snap no-group --bootstrap-server "$B" --describe
  snap topic-option --bootstrap-server "$B" --describe --group oasis-group --topic orders
  snap unknown-option --bootstrap-server "$B" --describe --grp oasis-group
  snap config-missing --bootstrap-server "$B" --command-config /nonexistent/mm.properties --describe --group oasis-group
  snap host-unresolved --bootstrap-server no-such-host.invalid:9092 --describe --group oasis-group
  snap broker-down --bootstrap-server 127.0.0.1:1 --describe --group oasis-group
  SNAP_ENV=JMX_PORT=${B#*:} snap jmx-port-taken --bootstrap-server "$B" --describe --group oasis-group
  SNAP_ENV=KAFKA_HEAP_OPTS=-Xmx1m snap heap-too-small --bootstrap-server "$B" --describe --group oasis-group
  if [ "$c" = source ]; then
    TOOLS="source k262 k41"
    snap connect-group --bootstrap-server "$(bootstrap target)" --describe --group source-mm2
    TOOLS=$2
  fi
  end_spawned
  for ((i = 0; i < 20; i++)); do      # the members leave by themselves, or after their session's time
    snap no-members --bootstrap-server "$B" --describe --group oasis-group
    if grep -q 'no active members' "$RECORD"/*-no-members.err; then break; fi
    sleep 1
  done
  snap no-members-members --bootstrap-server "$B" --describe --members --group oasis-group
  snap no-members-state --bootstrap-server "$B" --describe --state --group oasis-group

  # A member that has stopped answering holds up the next one's joining until its session ends.
  consumer shaky session.timeout.ms=29000 auto.commit.interval.ms=200
  sleep 6
  kill -STOP "${STARTED[0]}"
  consumer shaky session.timeout.ms=29000 auto.commit.interval.ms=200
  sleep 4
  snap rebalancing --bootstrap-server "$B" --describe --group shaky
  end_spawned
}

# Kinds of groups that only a new broker has, asked by old and new tools.
record_kinds() {
  local run=$HOME_HERE/bin/kafka-run-class.sh class=org.apache.kafka.tools i
  TOOLS="k41 source k262 k222"
  consumer modern group.protocol=consumer
  for ((i = 0; i < 60; i++)); do
    if echo modern | lab_java ask "$B" | grep -q '"offsets":{"'; then break; fi
  done
  snap modern-protocol --bootstrap-server "$B" --describe --group modern
  end_spawned
  "$run" $class.FeatureCommand --bootstrap-server "$B" upgrade --feature share.version=1 >/dev/null
  spawn "$run" $class.consumer.ConsoleShareConsumer --bootstrap-server "$B" --topic orders-retry --group shared
  for ((i = 0; i < 20; i++)); do
    TOOLS=k41 snap share-group --bootstrap-server "$B" --describe --group shared
    if grep -q 'not a consumer group' "$RECORD"/*-share-group.out; then break; fi
  done
  snap share-group --bootstrap-server "$B" --describe --group shared
  end_spawned
}

record() { # DIR [BROKER…]: all of it takes twenty minutes, for the time-outs
  local c tools
  RECORD=$1
  shift
  [ $# -gt 0 ] || set -- k262 k41 source kinds guarded
  set_base
  case "$*" in
    guarded) ;;
    kinds) "$HERE/lab" -i "$INSTANCE" up k41 ;;
    *) "$HERE/lab" -i "$INSTANCE" up source target k262 k41 mm2
      "$HERE/lab" -i "$INSTANCE" down mirror load ;;      # the group gets members of our own
  esac
  lock
  prepare source k222 k262 k41
  for c in source k222 k262 k41; do kafka_layout "$c"; done
  trap end_spawned EXIT
  for c in "$@"; do
    tools=$c
    if [ "$c" = k262 ]; then tools="k262 k222"; fi
    case $c in
      guarded) record_guarded ;;
      kinds) B=$(bootstrap k41) HOME_HERE=$(kafka_home k41); kafka_env "$HOME_HERE" -Xmx128m; record_kinds ;;
      *) record_broker "$c" "$tools" ;;
    esac
  done
}
