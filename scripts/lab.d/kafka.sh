# Kafka: homes laid out as the distribution has them, brokers, MirrorMaker 1 and 2, the load, the oracle.
# shellcheck shell=bash disable=SC2034,SC2153      # the parts share their variables

GROUP=oasis-group

kafka_of() { # COMPONENT: its SCALA-VERSION
  case $1 in k262 | zk262) echo "$KAFKA_OLD" ;; k41) echo "$KAFKA_NEW" ;; k222) echo "$KAFKA_ANCIENT" ;; *) echo "$KAFKA" ;; esac
}
kafka_home() { echo "$CACHE/home/$INSTANCE/kafka_$(kafka_of "$1")"; }
bootstrap() { echo "127.0.0.1:$(port "$1")"; }

tool_class() { # TOOL VERSION
  local tools=org.apache.kafka.tools
  case $1:$2 in
    consumer-groups:2.*) echo kafka.admin.ConsumerGroupCommand ;;
    consumer-groups:*) echo $tools.consumer.group.ConsumerGroupCommand ;;
    topics:2.*) echo kafka.admin.TopicCommand ;;
    topics:*) echo $tools.TopicCommand ;;
    configs:*) echo kafka.admin.ConfigCommand ;;
    get-offsets:2.*) ;; # of 3.0: before it the class is run by hand
    get-offsets:*) echo $tools.GetOffsetShell ;;
    console-producer:[23].*) echo kafka.tools.ConsoleProducer ;;
    console-producer:*) echo $tools.ConsoleProducer ;;
    console-consumer:2.*) echo kafka.tools.ConsoleConsumer ;;
    console-consumer:*) echo $tools.consumer.ConsoleConsumer ;;
    producer-perf-test:*) echo $tools.ProducerPerformance ;;
    storage:[34].*) echo kafka.tools.StorageTool ;;
    server-start:*) echo kafka.Kafka ;;
    zookeeper-server-start:2.*) echo org.apache.zookeeper.server.quorum.QuorumPeerMain ;;
    mirror-maker:[23].*) echo kafka.tools.MirrorMaker ;;
    connect-mirror-maker:2.*) ;;
    connect-mirror-maker:*) echo org.apache.kafka.connect.mirror.MirrorMaker ;;
  esac
}

# The home is the instance's own (its configuration names ports), the jars are shared.
kafka_layout() { # COMPONENT
  local home version tool class boot
  home=$(kafka_home "$1") version=$(kafka_of "$1") version=${version#*-}
  mkdir -p "$home/bin" "$home/config"
  chown "$LAB_USER:" "$CACHE/home/$INSTANCE"
  ln -sfn "$CACHE/jars_$(kafka_of "$1")" "$home/libs"
  sed "s|@JAVA_HOME@|$JAVA_17|" "$HERE/lab.d/kafka-run-class.sh" | put "$home/bin/kafka-run-class.sh" 755
  for tool in consumer-groups topics configs get-offsets console-producer console-consumer producer-perf-test storage \
    server-start zookeeper-server-start mirror-maker connect-mirror-maker; do
    class=$(tool_class "$tool" "$version")
    if [ -z "$class" ]; then continue; fi
    case $tool in zookeeper-*) tool=$tool.sh ;; connect-*) tool=$tool.sh ;; *) tool=kafka-$tool.sh ;; esac
    # shellcheck disable=SC2016
    printf '#!/bin/bash\nexec "$(dirname "$0")/kafka-run-class.sh" %s "$@"\n' "$class" | put "$home/bin/$tool" 755
  done
  printf '%s\n' log4j.rootLogger=WARN,stderr log4j.appender.stderr=org.apache.log4j.ConsoleAppender log4j.appender.stderr.Target=System.err \
    log4j.appender.stderr.layout=org.apache.log4j.PatternLayout 'log4j.appender.stderr.layout.ConversionPattern=[%d] %p %m (%c)%n' |
    put "$home/config/tools-log4j.properties"
  sed 's/WARN,stderr/INFO,stderr/' "$home/config/tools-log4j.properties" | put "$home/config/log4j.properties"
  printf '%s\n' rootLogger.level=WARN rootLogger.appenderRef.e.ref=E appender.e.type=Console appender.e.name=E appender.e.target=SYSTEM_ERR \
    appender.e.layout.type=PatternLayout 'appender.e.layout.pattern=[%d] %p %m (%c)%n' | put "$home/config/tools-log4j2.properties"
  sed 's/WARN/INFO/' "$home/config/tools-log4j2.properties" | put "$home/config/log4j2.properties"

  case $1 in k262 | zk262 | k222) boot=$(bootstrap k262) ;; k41) boot=$(bootstrap k41) ;; *) boot=$(bootstrap source) ;; esac
  put "$home/config/mm.properties" <<-P
	# MirrorMaker, consumer side
	bootstrap.servers=$boot
	group.id=$GROUP
	auto.offset.reset=earliest
	partition.assignment.strategy=org.apache.kafka.clients.consumer.RoundRobinAssignor
	session.timeout.ms=10000
	P
  put "$home/config/mm-producer.properties" <<-P
	# MirrorMaker, producer side
	bootstrap.servers=$(bootstrap target)
	acks=1
	linger.ms=20
	compression.type=lz4
	P
  put "$home/config/mm2.properties" <<-P
	clusters=source,target
	source.bootstrap.servers=$(bootstrap source)
	target.bootstrap.servers=$(bootstrap target)
	source->target.enabled=true
	source->target.topics=payments
	target->source.enabled=false
	emit.heartbeats.enabled=false
	tasks.max=1
	replication.factor=1
	heartbeats.topic.replication.factor=1
	checkpoints.topic.replication.factor=1
	offset-syncs.topic.replication.factor=1
	offset.storage.replication.factor=1
	offset.storage.partitions=1
	status.storage.replication.factor=1
	status.storage.partitions=1
	config.storage.replication.factor=1
	target.offset.flush.interval.ms=5000
	P
}

put() { # FILE [MODE]: written only if different, and never seen half, since remote commands may be reading it
  local new=$1.new.$BASHPID
  cat >"$new"
  if cmp -s "$new" "$1"; then rm "$new"; else chmod "${2:-644}" "$new" && mv "$new" "$1"; fi
}

# KAFKA_JMX_OPTS must not be empty, or the JMX agent comes back; JIT stage 1 starts sooner and is fast enough.
kafka_env() { # HOME HEAP
  LAUNCH_ENV=("JAVA_HOME=$JAVA_17" "KAFKA_HEAP_OPTS=$2" 'KAFKA_JMX_OPTS=-Dlab=1'
    'KAFKA_JVM_PERFORMANCE_OPTS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-UsePerfData -Djava.awt.headless=true'
    "KAFKA_LOG4J_OPTS=-Dlog4j.configuration=file:$1/config/log4j.properties -Dlog4j2.configurationFile=$1/config/log4j2.properties")
}

lab_java() { # ARGUMENT…: LabTool
  "$JAVA_17/bin/java" -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-UsePerfData \
    "-Dlog4j.configuration=file:$(kafka_home source)/config/tools-log4j.properties" -cp "$TOOL:$CACHE/jars_$KAFKA/*" LabTool "$@"
}

broker_settings() { # DIR
  printf '%s\n' "log.dirs=$1/data" num.network.threads=2 num.io.threads=2 offsets.topic.replication.factor=1 offsets.topic.num.partitions=5 \
    transaction.state.log.replication.factor=1 transaction.state.log.min.isr=1 group.initial.rebalance.delay.ms=0 \
    auto.create.topics.enable=false log.segment.bytes=16777216 log.retention.bytes=67108864 log.cleaner.dedupe.buffer.size=20971520
}

start_kraft() { # COMPONENT
  local c=$1 dir=$RUN/$1 home port template id
  home=$(kafka_home "$c") port=$(port "$c") template=$CACHE/format_$(kafka_of "$c")
  {
    broker_settings "$dir"
    printf '%s\n' process.roles=broker,controller node.id=1 "controller.quorum.voters=1@127.0.0.1:$((port + 1))" \
      controller.listener.names=CONTROLLER "listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$((port + 1))" \
      "advertised.listeners=PLAINTEXT://127.0.0.1:$port" listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
    case $c in k41) printf '%s\n' share.coordinator.state.topic.replication.factor=1 share.coordinator.state.topic.min.isr=1 ;; esac
  } | put "$dir/server.properties"
  kafka_env "$home" '-Xms128m -Xmx384m'
  if [ ! -d "$dir/data" ]; then
    # Formatting costs a JVM: done once for a version, then copied with an id of its own.
    (flock 8; cached "$template" format_kraft "$home" "$dir/server.properties") 8>"$template.lock" || return 1
    cp -r "$template/data" "$dir/data"
    id=L$(head -c 15 /dev/urandom | base64 | tr '+/' '-_')A
    sed -i "s/^cluster.id=.*/cluster.id=$id/" "$dir/data/meta.properties"
  fi
  if [ "$c" = source ]; then jmx_agent source jmx; fi
  chown -R "$LAB_USER:" "$dir"
  launch "$c" "$LAB_USER" "$home/bin/kafka-server-start.sh" "$dir/server.properties" || return 1
  await "$c" 90 logged "$c" 'Kafka Server started' && make_topics "$c"
}

format_kraft() { # HOME CONFIG
  sed "s|^log.dirs=.*|log.dirs=$TMP/data|" "$2" >"$TMP/server.properties"
  env "${LAUNCH_ENV[@]}" "$1/bin/kafka-storage.sh" format -t TGFiRm9ybWF0VGVtcGxhdA -c "$TMP/server.properties" >"$TMP/log" 2>&1 ||
    { cat "$TMP/log" >&2; return 1; }
}

make_topics() { lab_java topics "$(bootstrap "$1")" || give_up "$1" "has no topics"; }

start_zk262() {
  local dir=$RUN/zk262 home
  home=$(kafka_home k262)
  printf '%s\n' "dataDir=$dir/data" "clientPort=$(port zk262)" clientPortAddress=127.0.0.1 admin.enableServer=false maxClientCnxns=0 | put "$dir/zk.properties"
  mkdir -p "$dir/data"
  chown -R "$LAB_USER:" "$dir"
  kafka_env "$home" -Xmx128m
  launch zk262 "$LAB_USER" "$home/bin/zookeeper-server-start.sh" "$dir/zk.properties" && await zk262 60 open_port "$(port zk262)"
}

start_k262() {
  local dir=$RUN/k262 home
  home=$(kafka_home k262)
  {
    broker_settings "$dir"
    printf '%s\n' broker.id=0 "listeners=PLAINTEXT://$(bootstrap k262)" "zookeeper.connect=127.0.0.1:$(port zk262)"
  } | put "$dir/server.properties"
  mkdir -p "$dir/data"
  chown -R "$LAB_USER:" "$dir"
  kafka_env "$home" '-Xms128m -Xmx384m'
  jmx_agent k262 jmx262
  chown -R "$LAB_USER:" "$dir"
  launch k262 "$LAB_USER" "$home/bin/kafka-server-start.sh" "$dir/server.properties" || return 1
  await k262 90 logged k262 'started (kafka.server.KafkaServer)' && make_topics k262
}

start_mirror() {
  local home
  home=$(kafka_home source)
  kafka_env "$home" '-Xms64m -Xmx256m'
  launch mirror "$LAB_USER" "$home/bin/kafka-mirror-maker.sh" --consumer.config "$home/config/mm.properties" \
    --producer.config "$home/config/mm-producer.properties" --num.streams "${MMLAG_LAB_STREAMS:-2}" --offset.commit.interval.ms 1000 \
    --include 'orders|orders-retry|payments|clicks[.]v1' || return 1
  await mirror 60 logged mirror 'Adding newly assigned partitions'
}

start_mm2() {
  local home
  home=$(kafka_home source)
  kafka_env "$home" '-Xms64m -Xmx384m'
  launch mm2 "$LAB_USER" "$home/bin/connect-mirror-maker.sh" "$home/config/mm2.properties" || return 1
  await mm2 120 logged mm2 'replication-consumer.*Assigned to partition'
}

load_is_at() { # RATE: once the load goes at it, and what it sent before has arrived
  local i
  for ((i = 0; i < 100; i++)); do
    if [ "$(grep '^rate ' "$RUN/load/log" | tail -n 1)" = "rate $1.0" ]; then return 0; fi
    sleep 0.1
  done
  return 1
}

start_load() {
  local dir=$RUN/load
  if [ ! -e "$dir/rate" ]; then echo "${MMLAG_LAB_RATE:-200}" >"$dir/rate"; fi
  chown -R "$LAB_USER:" "$dir"
  LAUNCH_ENV=()
  launch load "$LAB_USER" "$JAVA_17/bin/java" -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-UsePerfData \
    "-Dlog4j.configuration=file:$(kafka_home source)/config/tools-log4j.properties" -cp "$TOOL:$CACHE/jars_$KAFKA/*" \
    LabTool produce "$(bootstrap source)" "$dir/rate" || return 1
  await load 60 logged load producing
}
