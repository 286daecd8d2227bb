# Records what kafka-consumer-groups.sh prints where it is not let in, cannot start, or finds a cluster in pieces.
# All tools ask brokers of 3.9.1: the first one has guarded listeners, the second one goes away.
# shellcheck shell=bash disable=SC2034,SC2153      # the parts share their variables

guarded_port() { printf '%d' $((BASE + 60 + $1)); }      # 0 plain, 1 controller, 2 SASL, 3 TLS, 4 the second broker

guarded_settings() { # DIR
  broker_settings "$1" | sed 's/^offsets.topic.num.partitions=.*/offsets.topic.num.partitions=2/'
  printf '%s\n' "controller.quorum.voters=1@127.0.0.1:$(guarded_port 1)" controller.listener.names=CONTROLLER \
    listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL \
    authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer super.users=User:ANONYMOUS
}

guarded_data() { # NODE: formatted, of the one cluster
  local dir=$RUN/guarded$1
  rm -rf "$dir" && mkdir -p "$dir"
  guarded_settings "$dir" >"$dir/server.properties"
  if [ "$1" = 1 ]; then
    printf '%s\n' process.roles=broker,controller node.id=1 sasl.enabled.mechanisms=PLAIN \
      "listeners=PLAINTEXT://127.0.0.1:$(guarded_port 0),CONTROLLER://127.0.0.1:$(guarded_port 1),SASL_PLAINTEXT://127.0.0.1:$(guarded_port 2),SSL://127.0.0.1:$(guarded_port 3)" \
      'listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_guest="word" user_reader="word";' \
      "ssl.keystore.location=$dir/keys.p12" ssl.keystore.password=lab-word ssl.key.password=lab-word >>"$dir/server.properties"
    "$JAVA_17/bin/keytool" -genkeypair -alias broker -keyalg RSA -dname CN=localhost -validity 30 \
      -storetype PKCS12 -storepass lab-word -keystore "$dir/keys.p12" 2>/dev/null
  else
    printf '%s\n' process.roles=broker "node.id=$1" "listeners=PLAINTEXT://127.0.0.1:$(guarded_port 4)" >>"$dir/server.properties"
  fi
  env "${LAUNCH_ENV[@]}" "$HOME_HERE/bin/kafka-storage.sh" format -t TGFiR3VhcmRlZENsdXN0ZQ -c "$dir/server.properties" >"$dir/format.log" 2>&1
  chown -R "$LAB_USER:" "$dir"
}

guarded_start() { # NODE
  launch "guarded$1" "$LAB_USER" "$HOME_HERE/bin/kafka-server-start.sh" "$RUN/guarded$1/server.properties" &&
    await "guarded$1" 120 logged "guarded$1" 'Kafka Server started'
}

guarded_tool() { # TOOL ARGUMENT…: as the one who may do everything
  "$HOME_HERE/bin/kafka-$1.sh" --bootstrap-server "$B" "${@:2}" >/dev/null
}

client_properties() { # NAME LINE…: what --command-config names
  printf '%s\n' "${@:2}" >"$RUN/record.$1.properties"
  chmod 644 "$RUN/record.$1.properties"
}

sasl() { # USER PASSWORD
  printf '%s\n' security.protocol=SASL_PLAINTEXT sasl.mechanism=PLAIN \
    "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"$1\" password=\"$2\";"
}

refused() { # SITUATION LISTENER LINE…: describe the group that lies on the first broker, with these client properties
  client_properties "$1" "${@:3}"
  snap "$1" --bootstrap-server "127.0.0.1:$(guarded_port "$2")" --command-config "$RUN/record.$1.properties" --describe --group here
}

# The offsets of a group lie in the partition that its name gives: 0 on the first broker, 1 on the second.
make_pieces() {
  guarded_tool topics --create --topic __consumer_offsets --replica-assignment 1,2 --config cleanup.policy=compact
  guarded_tool topics --create --topic lonely --replica-assignment 1,2
  lab_java topics "$B"
  guarded_tool topics --create --topic gone --partitions 2
  lab_java commit "$B" here orders:0:0 orders:17:0 lonely:0:0 lonely:1:0      # "here" → 0
  lab_java commit "$B" yonder orders:0:0               # "yonder" → 1
  lab_java commit "$B" bereft gone:0:0
  lab_java commit "$B" half gone:0:0 orders:0:0
  lab_java commit "$B" growing clicks.v1:0:0 clicks.v1:11:0
}

record_refusals() {
  local word=lab-word
  "$HOME_HERE/bin/kafka-run-class.sh" kafka.admin.AclCommand --bootstrap-server "$B" \
    --add --allow-principal User:reader --operation Describe --group here >/dev/null
  refused group-refused 2 "$(sasl guest word)"
  refused topics-refused 2 "$(sasl reader word)"
  refused login-refused 2 "$(sasl guest wrong)"
  refused login-missing 2 security.protocol=SASL_PLAINTEXT sasl.mechanism=PLAIN
  refused tls-untrusted 3 security.protocol=SSL
  refused tls-to-plain 0 security.protocol=SSL
  refused truststore-missing 3 security.protocol=SSL ssl.truststore.location=/nonexistent/trust.p12 "ssl.truststore.password=$word"
  refused settings-wrong 0 security.protocol=TLS
  snap plain-to-tls --bootstrap-server "127.0.0.1:$(guarded_port 3)" --describe --group here
  snap controller-port --bootstrap-server "127.0.0.1:$(guarded_port 1)" --describe --group here
  client_properties config-unreadable '#'
  chmod 000 "$RUN/record.config-unreadable.properties"
  SNAP_AS=$LAB_USER snap config-unreadable --bootstrap-server "$B" --command-config "$RUN/record.config-unreadable.properties" --describe --group here
}

record_starts() {
  SNAP_ENV=JAVA_HOME=/nonexistent snap java-missing --bootstrap-server "$B" --describe --group here
  SNAP_ENV=KAFKA_HEAP_OPTS=-Xmx7m snap heap-exhausted --bootstrap-server "$B" --describe --group here
  SNAP_ENV='KAFKA_JVM_PERFORMANCE_OPTS=-XX:+UseSerialGCC' snap jvm-option-wrong --bootstrap-server "$B" --describe --group here
  TOOLS=source SNAP_PATH=/nonexistent snap home-missing --bootstrap-server "$B" --describe --group here
}

record_pieces() {
  guarded_tool topics --delete --topic gone
  guarded_tool topics --alter --topic clicks.v1 --partitions 14
  sleep 3
  snap topic-deleted --bootstrap-server "$B" --describe --group bereft
  snap topic-deleted-beside --bootstrap-server "$B" --describe --group half
  snap partitions-grown --bootstrap-server "$B" --describe --group growing
  stop guarded2
  sleep 12      # the controller fences it after its session
  snap leaderless --bootstrap-server "$B" --describe --group here
  snap coordinator-gone --bootstrap-server "$B" --describe --group yonder
  signal_all STOP guarded1
  snap broker-paused --bootstrap-server "$B" --describe --group here
  signal_all CONT guarded1
}

record_guarded() {
  TOOLS="source k262 k222 k41" B=127.0.0.1:$(guarded_port 0) HOME_HERE=$(kafka_home source)
  kafka_env "$HOME_HERE" '-Xms128m -Xmx384m'
  trap 'stop guarded2; stop guarded1' EXIT
  guarded_data 1
  guarded_data 2
  guarded_start 1
  guarded_start 2
  make_pieces
  record_refusals
  record_starts
  record_pieces
  stop guarded1
}
