# The SSH host that the collector logs in to, and the same by a newer server: sshd10.
# shellcheck shell=bash disable=SC2034,SC2153      # the parts share their variables

KEY_NAMES="ec2.pem pkcs8.pem rsa_openssh ed25519 ecdsa ec2_enc pkcs8_enc rsa_openssh_enc ed25519_enc ecdsa_enc"

# Every kind of key file that a client may be given; all open the same account.
make_keys() {
  local name options type
  mkdir -p "$KEYS/host"
  chmod 700 "$KEYS" "$KEYS/host"
  if [ ! -s "$KEYS/passphrase" ]; then head -c 12 /dev/urandom | base64 >"$KEYS/passphrase"; fi
  chmod 600 "$KEYS/passphrase"
  for type in ed25519 rsa ecdsa; do
    [ -s "$KEYS/host/$type" ] || ssh-keygen -q -t "$type" -N '' -C '' -f "$KEYS/host/$type"
  done
  for name in $KEY_NAMES; do
    if [ -s "$KEYS/$name" ]; then continue; fi
    case $name in
      ec2*) options=(-t rsa -b 2048 -m PEM) ;;
      pkcs8*) options=(-t rsa -b 2048 -m PKCS8) ;;
      rsa*) options=(-t rsa -b 2048) ;;
      ed25519*) options=(-t ed25519) ;;
      ecdsa*) options=(-t ecdsa) ;;
    esac
    case $name in *_enc) options+=(-N "$(cat "$KEYS/passphrase")") ;; *) options+=(-N '') ;; esac
    ssh-keygen -q "${options[@]}" -C "$name" -f "$KEYS/$name"
  done
  chown -R "${SUDO_UID:-0}:${SUDO_GID:-0}" "$KEYS"
  chown -R 0:0 "$KEYS/host"
}

start_sshd() { serve_ssh sshd /usr; }
start_sshd10() {
  local parts
  parts=$(openssh_home)/usr
  serve_ssh sshd10 "$parts" "SshdSessionPath $parts/lib/openssh/sshd-session" "SshdAuthPath $parts/lib/openssh/sshd-auth"
}

serve_ssh() { # COMPONENT PREFIX LINE…: the first lines of its configuration
  local port dir=$RUN/$1 authorized=$CACHE/home/.ssh/$INSTANCE.keys name type
  port=$(port "$1")
  make_keys
  for name in sshd sshd10; do
    for type in ed25519 rsa ecdsa; do printf '[127.0.0.1]:%s %s\n' "$(port $name)" "$(cut -d' ' -f1,2 "$KEYS/host/$type.pub")"; done
  done | put "$KEYS/known_hosts"
  # Below the user's home, the only place under a world-writable folder that StrictModes accepts.
  install -d -o "$LAB_USER" -g "$LAB_USER" -m 700 "$CACHE/home/.ssh"
  for name in $KEY_NAMES; do cat "$KEYS/$name.pub"; done | put "$authorized"
  mkdir -p /run/sshd
  {
    if [ $# -gt 2 ]; then printf '%s\n' "${@:3}"; fi
    if [ -n "${LAB_SSHD_EXTRA:-}" ]; then printf '%s\n' "$LAB_SSHD_EXTRA"; fi      # sshd keeps the first value it reads
    printf '%s\n' "Port $port" 'ListenAddress 127.0.0.1' "HostKey $KEYS/host/ed25519" "HostKey $KEYS/host/rsa" "HostKey $KEYS/host/ecdsa" \
      "PidFile $dir/sshd.pid" 'UsePAM no' 'PasswordAuthentication no' 'KbdInteractiveAuthentication no' 'PermitRootLogin no' \
      "AllowUsers $LAB_USER" 'StrictModes yes' "AuthorizedKeysFile $authorized" 'MaxStartups 100:30:200' 'MaxSessions 100' 'MaxAuthTries 20' \
      'UseDNS no' 'PrintMotd no' 'PrintLastLog no' 'AcceptEnv LANG LC_*' "SetEnv $MARK=$dir" 'Subsystem sftp internal-sftp' 'LogLevel VERBOSE'
  } | put "$dir/sshd_config"
  LAUNCH_ENV=()
  launch "$1" root "$2/sbin/sshd" -D -e -f "$dir/sshd_config" && await "$1" 20 open_port "$port"
}

# Sessions whose listener is gone already: the lab user's sockets on our port.
ssh_sessions() { # COMPONENT
  local pid
  for pid in $(ss -Htnp "sport = :$(port "$1")" | grep -o 'pid=[0-9]*' | cut -d= -f2); do
    if [ "$(stat -c %U "/proc/$pid" 2>/dev/null)" = "$LAB_USER" ]; then printf '%s\n' "$pid"; fi
  done
}
