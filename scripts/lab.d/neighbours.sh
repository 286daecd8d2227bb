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
