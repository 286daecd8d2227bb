# Processes, ports and waiting: what every component of the lab shares.
# shellcheck shell=bash disable=SC2034,SC2153      # the parts share their variables

MARK=MMLAG_LAB_RUN            # in the environment of everything the lab starts
LAB_USER=mmlag-lab

die() { printf 'lab: %s\n' "$*" >&2; exit 1; }
microseconds() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }
seconds_since() { local d=$(($(microseconds) - $1)); printf '%d.%d' $((d / 1000000)) $((d / 100000 % 10)); }

# --- identity of a process: its number alone may have gone to somebody else

process_start() { # PID: clock ticks since boot; nothing if it is gone or a zombie whose last thread has ended
  local stat fields
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -ra fields <<<"${stat##*) }"
  if [ "${fields[0]}" = Z ] && [ "${fields[17]}" -le 1 ]; then return 1; fi
  printf '%s' "${fields[19]}"
}

main_pid() { # COMPONENT: the recorded process, if it still is that very process
  local pid start boot
  { read -r pid start boot <"$RUN/$1/pid"; } 2>/dev/null || return 1
  [ "$boot" = "$(</proc/sys/kernel/random/boot_id)" ] && [ "$(process_start "$pid")" = "$start" ] && printf '%s' "$pid"
}

ready() { [ -e "$RUN/$1/ready" ] && main_pid "$1" >/dev/null; }

descendants() { # PID
  local stat pid rest fields children=() child
  for stat in /proc/[0-9]*/stat; do
    { read -r rest <"$stat"; } 2>/dev/null || continue
    pid=${rest%% *}
    read -ra fields <<<"${rest##*) }"
    if [ "${fields[1]}" = "$1" ]; then children+=("$pid"); fi
  done
  for child in "${children[@]}"; do printf '%s\n' "$child"; descendants "$child"; done
}

# All processes of a component, also those that moved to a session of their own:
# the recorded one, its children, and whatever inherited the mark.
members() { # COMPONENT
  local pid
  {
    if pid=$(main_pid "$1"); then printf '%s\n' "$pid"; descendants "$pid"; fi
    { grep -lzxF "$MARK=$RUN/$1" /proc/[0-9]*/environ 2>/dev/null || true; } | cut -d/ -f3
    case $1 in sshd | sshd10) ssh_sessions "$1" ;; esac
  } | sort -un
}

# --- start and end

LAUNCH_ENV=()
launch() { # COMPONENT USER COMMAND…: in a session of its own, with a clean environment
  local component=$1 user=$2 dir=$RUN/$1 as=() i
  shift 2
  if [ "$user" != root ]; then as=(setpriv "--reuid=$user" "--regid=$user" --clear-groups --no-new-privs); fi
  rm -f "$dir/pid" "$dir/ready"
  if [ -e "$dir/log" ]; then mv "$dir/log" "$dir/log.1"; fi
  # shellcheck disable=SC2016
  setsid env -i PATH=/usr/local/bin:/usr/bin:/bin LC_ALL=C.UTF-8 "HOME=$CACHE/home" "$MARK=$dir" "${LAUNCH_ENV[@]}" \
    bash -c 'read -r stat </proc/$$/stat; set -- "$(set -- ${stat##*) }; echo "${20}")" "$@"
      echo "$$ $1 $(</proc/sys/kernel/random/boot_id)" >"$0.new" && mv "$0.new" "$0" && shift && exec "$@"' \
    "$dir/pid" "${as[@]}" "$@" </dev/null >"$dir/log" 2>&1 9>&- &
  for ((i = 0; i < 50; i++)); do
    if [ -e "$dir/pid" ]; then return 0; fi
    sleep 0.1
  done
  give_up "$component" "did not start"
}

give_up() { # COMPONENT WHY
  { printf '%-8s %s; the end of %s:\n' "$1" "$2" "$RUN/$1/log"; tail -n 15 "$RUN/$1/log" 2>/dev/null | sed 's/^/    /'; } >&2
  return 1
}

await() { # COMPONENT SECONDS PROBE…: until the probe succeeds, as long as the process lives
  local component=$1 end=$((SECONDS + $2))
  shift 2
  until "$@" 2>/dev/null; do
    main_pid "$component" >/dev/null || { give_up "$component" "ended by itself"; return 1; }
    [ "$SECONDS" -lt "$end" ] || { give_up "$component" "does not answer"; return 1; }
    sleep 0.2
  done
}

logged() { grep -q -- "$2" "$RUN/$1/log"; }

signal_all() { # SIGNAL COMPONENT
  local pid
  for pid in $(members "$2"); do kill "-$1" "$pid" 2>/dev/null || true; done
}

stop() { # COMPONENT: returns when nothing of it is left
  local component=$1 t0 i
  t0=$(microseconds)
  if [ -z "$(members "$component")" ]; then rm -f "$RUN/$component"/{pid,ready}; return 0; fi
  rm -f "$RUN/$component/ready"
  signal_all TERM "$component"
  signal_all CONT "$component"      # a paused one cannot end
  for ((i = 0; i < 200; i++)); do
    if [ -z "$(members "$component")" ]; then break; fi
    sleep 0.1
  done
  if [ -n "$(members "$component")" ]; then
    printf '%-8s does not end by itself, killed\n' "$component" >&2
    signal_all KILL "$component"
    sleep 0.3
    if [ -n "$(members "$component")" ]; then printf '%-8s cannot be ended\n' "$component" >&2; return 1; fi
  fi
  rm -f "$RUN/$component/pid"
  printf '%-8s down (%s s)\n' "$component" "$(seconds_since "$t0")"
}

# --- ports: a fixed offset for each component, from the base of the instance

port() { # COMPONENT
  local offset
  if [ -e "$RUN/usual" ]; then # "full" was asked for them
    case $1 in jmx262) printf 9094; return ;; page) printf 9308; return ;; esac
  fi
  case $1 in
    es8) offset=0 ;; es7) offset=2 ;; es9) offset=4 ;; os2) offset=6 ;; es8sec) offset=8 ;;
    sshd) offset=22 ;; sshd10) offset=23 ;; jmx) offset=30 ;; prometheus) offset=31 ;; exporter) offset=32 ;; alertmanager) offset=33 ;; burrow) offset=35 ;; jmx262) offset=34 ;; page) offset=38 ;; reader) offset=39 ;;
    source) offset=92 ;; target) offset=94 ;; k41) offset=96 ;; k262) offset=98 ;; zk262) offset=99 ;;
    *) return 1 ;;
  esac
  printf '%d' $((BASE + offset))
}

open_port() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

need_ports() { # COMPONENT PORT…
  local p
  for p in "${@:2}"; do
    [ -z "$(ss -Htln "sport = :$p")" ] || { printf '%-8s port %s is taken: %s\n' "$1" "$p" "$(ss -Htlnp "sport = :$p" | sed 's/.*users://')" >&2; return 1; }
  done
}

# --- the system user and Java

need_user() {
  local home
  home=$(getent passwd "$LAB_USER" | cut -d: -f6) || true
  if [ -z "$home" ]; then
    useradd --system --user-group --no-create-home --home-dir "$CACHE/home" --shell /bin/bash "$LAB_USER"
    usermod -p '*' "$LAB_USER"      # sshd without PAM takes the default "!" for a locked account
  elif [ "$home" != "$CACHE/home" ]; then
    [ ! -d "$home" ] || die "user $LAB_USER belongs to the cache $(dirname "$home")"
    usermod -d "$CACHE/home" "$LAB_USER"
  fi
  install -d -o "$LAB_USER" -g "$LAB_USER" -m 755 "$CACHE/home"
}

find_java() { # a full JDK 17: the lab compiles too
  local j
  for j in ${MMLAG_LAB_JAVA:+"$MMLAG_LAB_JAVA"} /usr/lib/jvm/java-17-openjdk-* /usr/lib/jvm/*-17-*; do
    if [ -x "$j/bin/javac" ]; then JAVA_17=$j; return 0; fi
  done
  die "no JDK 17 found (Debian: openjdk-17-jdk-headless), or set MMLAG_LAB_JAVA"
}
