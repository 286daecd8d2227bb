# The whole picture on one machine: an old Kafka with the JMX exporter, a producer and a consumer that is too slow,
# mmlag on it over SSH, its page read by Prometheus and by a second mmlag, an Alertmanager for what they say.
# shellcheck shell=bash disable=SC2034,SC2153      # the parts share their variables

FULL="sshd zk262 k262 producer consumer page reader prometheus alertmanager"
FULL_TOPIC=assignment-topic
FULL_GROUP=assignment-group
MMLAG=${MMLAG:-$(dirname "$HERE")/build/mmlag}

full_client() { # NAME COMMAND: as the console, in a shell of its own
  local home
  home=$(kafka_home k262)
  kafka_env "$home" '-Xms32m -Xmx96m'
  LAUNCH_ENV+=("HOME262=$home" "BOOTSTRAP=$(bootstrap k262)" "TOPIC=$FULL_TOPIC" "GROUP=$FULL_GROUP")
  launch "$1" "$LAB_USER" bash -c "$2"
}

start_producer() { # some 30 messages of 1 KiB a second
  kafka_env "$(kafka_home k262)" -Xmx96m
  env "${LAUNCH_ENV[@]}" "$(kafka_home k262)/bin/kafka-topics.sh" --bootstrap-server "$(bootstrap k262)" --create --if-not-exists \
    --topic "$FULL_TOPIC" --partitions 3 --replication-factor 1 >"$RUN/producer/topic.log" 2>&1 || { cat "$RUN/producer/topic.log" >&2; return 1; }
  # shellcheck disable=SC2016
  full_client producer 'while sleep 0.1; do printf "%-1024s\n" "$((++i))" "$((++i))" "$((++i))"; done |
    "$HOME262/bin/kafka-console-producer.sh" --bootstrap-server "$BOOTSTRAP" --topic "$TOPIC"'
}

start_consumer() { # takes ten a second; the pipe holds it back
  # shellcheck disable=SC2016
  full_client consumer '"$HOME262/bin/kafka-console-consumer.sh" --bootstrap-server "$BOOTSTRAP" --topic "$TOPIC" --group "$GROUP" --from-beginning \
    --consumer-property max.poll.records=5 --consumer-property auto.commit.interval.ms=1000 | while read -r _; do sleep 0.1; done'
}

full_config() { # NAME: the daemon's own part
  printf '%s\n' "state_dir: $RUN/$1/state" "http: {listen: \"127.0.0.1:$(port "$1")\"}" \
    'defaults:' "  group: $FULL_GROUP" '  interval: 5s' '  share: group' '  thresholds: [{on: group, warning: 100, critical: 1000, for: 2m}]' \
    'receivers:' "  - {name: alertmanager, type: alertmanager, urls: [\"http://127.0.0.1:$(port alertmanager)\"]}"
}

start_page() {
  local dir=$RUN/page
  {
    full_config page
    printf '%s\n' 'brokers:' "  - {name: lab, prometheus: \"http://127.0.0.1:$(port prometheus)\", min_rate: 10, interval: 5s, for: 1m}" \
      'topics:' "  - {name: $FULL_TOPIC, host: 127.0.0.1, port: $(port sshd), user: $LAB_USER, key_file: $KEYS/ed25519," \
      "     known_hosts: [$KEYS/known_hosts], kafka_home: $(kafka_home k262), bootstrap_server: \"$(bootstrap k262)\"}"
  } >"$dir/mmlag.yaml"
  LAUNCH_ENV=()
  launch page root "$MMLAG" run -c "$dir/mmlag.yaml" || return 1
  await page 30 curl -fs -o /dev/null "http://127.0.0.1:$(port page)/-/healthy"
}

start_reader() {
  local dir=$RUN/reader
  {
    full_config reader
    printf '%s\n' 'topics:' "  - {name: $FULL_TOPIC, source: exporter, url: \"http://127.0.0.1:$(port page)/metrics\"}"
  } >"$dir/mmlag.yaml"
  LAUNCH_ENV=()
  launch reader root "$MMLAG" run -c "$dir/mmlag.yaml" || return 1
  await reader 30 curl -fs -o /dev/null "http://127.0.0.1:$(port reader)/-/healthy"
}

full_grafana() { # the boards and what provisions them; Grafana itself is not in the registries
  rm -rf "$RUN/grafana"
  "$MMLAG" export grafana --dir "$RUN/grafana" --prometheus "http://127.0.0.1:$(port prometheus)" -c "$RUN/page/mmlag.yaml" 2>"$RUN/grafana.log" ||
    { cat "$RUN/grafana.log" >&2; return 1; }
}

full_ports() { # [--usual-ports|--own-ports]
  local usual=1
  if [ -n "${MMLAG_LAB_PORTS:-}" ]; then usual=0; fi
  case ${1:-} in '') ;; --usual-ports) usual=1 ;; --own-ports) usual=0 ;; *) die "usage: lab full [--own-ports]" ;; esac
  mkdir -p "$RUN"
  if [ $usual = 1 ]; then : >"$RUN/usual"; else rm -f "$RUN/usual"; fi
}

full() {
  local list me=scripts/lab
  [ -x "$MMLAG" ] || die "build mmlag first (make)"
  need_root
  read -ra list <<<"$FULL"
  full_ports "$@"
  set_base
  if [ "$INSTANCE" != lab ]; then me="scripts/lab -i $INSTANCE"; fi
  LAB_SCRAPE="kafka=127.0.0.1:$(port jmx262) mmlag=127.0.0.1:$(port page) reader=127.0.0.1:$(port reader)"
  LAB_SCRAPE_EVERY=5s
  up "${list[@]}" || { printf 'lab: not all of it came up; %s down ends the rest\n' "$me" >&2; exit 1; }
  full_grafana || exit 1
  cat <<T

ZooKeeper             127.0.0.1:$(port zk262)
Kafka 2.6             $(bootstrap k262), its JMX exporter http://127.0.0.1:$(port jmx262)/metrics
producer, consumer    topic $FULL_TOPIC, group $FULL_GROUP: it takes ten messages a second of thirty
mmlag over SSH        http://127.0.0.1:$(port page)/ and /metrics, as kafka_exporter's
mmlag on that page    http://127.0.0.1:$(port reader)/
Prometheus            http://127.0.0.1:$(port prometheus)/ scrapes these three every 5 s
Alertmanager          http://127.0.0.1:$(port alertmanager)/
Grafana's boards      $RUN/grafana (not started: the registries do not have it)
Try:  $MMLAG watch --exporter http://127.0.0.1:$(port page)/metrics --group $FULL_GROUP
      $MMLAG brokers --prometheus http://127.0.0.1:$(port prometheus) --range 5m --min-rate 10
      $MMLAG top -c $RUN/page/mmlag.yaml
End:  $me down
T
}
