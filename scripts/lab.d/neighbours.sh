# What stands beside mmlag in other houses: Prometheus, the JMX exporter, Alertmanager, an exporter of group lags.
# shellcheck shell=bash disable=SC2034,SC2153      # the parts share their variables

jmx_agent() { # COMPONENT PORT-NAME: for the JVM that is launched next
  jmx_rules | put "$RUN/$1/jmx.yml"
  LAUNCH_ENV+=("KAFKA_OPTS=-javaagent:$CACHE/jmx/jmx_prometheus_javaagent-$JMX_EXPORTER.jar=127.0.0.1:$(port "$2"):$RUN/$1/jmx.yml")
}

# The series as the exporter's documentation names them: per topic, and once for all topics together.
jmx_rules() {
  cat <<'Y'
lowercaseOutputName: false
whitelistObjectNames: ["kafka.server:type=BrokerTopicMetrics,*", "kafka.server:type=ReplicaManager,name=UnderReplicatedPartitions"]
rules:
  - pattern: 'kafka.server<type=BrokerTopicMetrics, name=(\w+PerSec), topic=(.+)><>Count'
    name: kafka_server_BrokerTopicMetrics_$1
    type: COUNTER
    labels: {topic: "$2"}
  - pattern: 'kafka.server<type=BrokerTopicMetrics, name=(\w+PerSec)><>Count'
    name: kafka_server_BrokerTopicMetrics_$1
    type: COUNTER
  - pattern: 'kafka.server<type=ReplicaManager, name=(\w+)><>Value'
    name: kafka_server_ReplicaManager_$1
    type: GAUGE
Y
}

fetch_jmx() { fetch_artifact "io.prometheus.jmx:jmx_prometheus_javaagent:$JMX_EXPORTER:jar"; }

fetch_group_exporter() {
  # shellcheck disable=SC2086
  /usr/bin/python3 -m pip install -q --root-user-action=ignore --target "$TMP" $GROUP_EXPORTER >&2
}

# Behind a lock of its own: it takes minutes, for which nobody else is to wait.
build_telegraf() {
  mkdir -p "$CACHE"
  (flock 8; cached "$CACHE/telegraf-$TELEGRAF" fetch_telegraf) 8>"$CACHE/telegraf.lock"
}

fetch_telegraf() { # two processes at a time, so that what else runs here is not starved
  local go
  go=$(find_go) || die "telegraf needs Go 1.24 or newer"
  (
    cd "$TMP"
    export GOPATH=$TMP/path GOCACHE=$TMP/cache GOBIN=$TMP GOFLAGS="-buildvcs=false -modcacherw" CGO_ENABLED=0
    nice "$go" install -p 2 -trimpath -ldflags=-s -tags "$TELEGRAF_TAGS" "github.com/influxdata/telegraf/cmd/telegraf@$TELEGRAF" &&
      rm -rf "$TMP/path" "$TMP/cache"
  ) >&2
}

find_go() {
  local go
  for go in $(command -v go) /usr/local/go/bin/go /usr/lib/go-*/bin/go; do
    if [ -x "$go" ]; then printf '%s' "$go"; return 0; fi
  done
  return 1
}

# Debian's Burrow knows Kafka up to 2.1, and cannot begin without a ZooKeeper, of which it wants nothing here, nor before
# the topic of the offsets exists, which the mirror's group makes.
start_burrow() {
  local dir=$RUN/burrow
  cat >"$dir/burrow.toml" <<T
[general]
pidfile="$dir/burrow.pid"
[logging]
level="warn"
[zookeeper]
servers=["127.0.0.1:$(port zk262)"]
[client-profile.p]
client-id="burrow"
kafka-version="2.1.0"
[cluster.default]
class-name="kafka"
servers=["$(bootstrap source)"]
client-profile="p"
topic-refresh=10
offset-refresh=1
[consumer.default]
class-name="kafka"
cluster="default"
servers=["$(bootstrap source)"]
client-profile="p"
start-latest=false
[httpserver.default]
address="127.0.0.1:$(port burrow)"
[storage.default]
class-name="inmemory"
intervals=10
min-distance=1
T
  chown -R "$LAB_USER:" "$dir"
  LAUNCH_ENV=()
  launch burrow "$LAB_USER" "$(command -v Burrow)" -config-dir "$dir" || return 1
  await burrow 60 curl -fs -o /dev/null "http://127.0.0.1:$(port burrow)/v3/kafka/default/consumer"
}

start_exporter() { # kept on loopback: by itself it listens everywhere
  local dir=$RUN/exporter
  cat >"$dir/launch.py" <<'P'
import prometheus_kafka_consumer_group_exporter as exporter
start = exporter.start_http_server
exporter.start_http_server = lambda port: start(port, addr="127.0.0.1")
exporter.main()
P
  chown -R "$LAB_USER:" "$dir"
  LAUNCH_ENV=("PYTHONPATH=$CACHE/group-exporter" PYTHONDONTWRITEBYTECODE=1)
  launch exporter "$LAB_USER" /usr/bin/python3 "$dir/launch.py" -b "$(bootstrap source)" -p "$(port exporter)" \
    --high-water-interval 1 --consumer-config /dev/null || return 1
  await exporter 60 open_port "$(port exporter)"
}

start_prometheus() { # LAB_SCRAPE: other targets, as NAME=HOST:PORT
  local dir=$RUN/prometheus target
  mkdir -p "$dir/data"
  {
    printf '%s\n' "global: {scrape_interval: ${LAB_SCRAPE_EVERY:-1s}, evaluation_interval: 5s}" scrape_configs:
    for target in ${LAB_SCRAPE:-"kafka=127.0.0.1:$(port jmx)" "exporter=127.0.0.1:$(port exporter)"}; do
      printf '  - {job_name: %s, static_configs: [{targets: ["%s"]}]}\n' "${target%%=*}" "${target#*=}"
    done
  } >"$dir/prometheus.yml"
  chown -R "$LAB_USER:" "$dir"
  LAUNCH_ENV=()
  launch prometheus "$LAB_USER" prometheus "--config.file=$dir/prometheus.yml" "--storage.tsdb.path=$dir/data" \
    "--web.listen-address=127.0.0.1:$(port prometheus)" --log.level=warn || return 1
  await prometheus 60 curl -fs -o /dev/null "http://127.0.0.1:$(port prometheus)/-/ready"
}

start_alertmanager() {
  local dir=$RUN/alertmanager
  mkdir -p "$dir/data"
  printf '%s\n' 'route: {receiver: none, group_by: [alertname], group_wait: 1s}' 'receivers: [{name: none}]' >"$dir/alertmanager.yml"
  chown -R "$LAB_USER:" "$dir"
  LAUNCH_ENV=()
  launch alertmanager "$LAB_USER" prometheus-alertmanager "--config.file=$dir/alertmanager.yml" "--storage.path=$dir/data" \
    "--web.listen-address=127.0.0.1:$(port alertmanager)" --cluster.listen-address= || return 1
  await alertmanager 60 curl -fs -o /dev/null "http://127.0.0.1:$(port alertmanager)/-/ready"
}
