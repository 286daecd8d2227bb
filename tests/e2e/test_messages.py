# SPDX-License-Identifier: MIT
"""What the program says when something is wrong: what happened, where, why, and what to
do. First every text in the sources against rules that can be checked by reading; then
real situations at the commands, each with what its message must name. Needs no server."""

import json
import os
import pathlib
import re
import socket
import subprocess

import pytest

from conftest import MMLAG, ROOT

# --- every text in the sources ---

# What some files have as a short way to one of the calls of the first two rows.
SHORT = ("reply_error|(?:resolve_)?complain(?:_at)?|refuse|need|bad|bad_item|wrong|failed|fail|"
         "misshapen|no_good|unusable|tell|tell_broken|table_build_fail|trouble")
CALLS = re.compile(r"\b(err_set(?:_code|_errno)?|err_wrap|gap_set\w*|log_warn|log_error|"
                   r"finding_error|finding_warn|options_usage|fprintf|" + SHORT + r")\s*\(")
ERRNO = ("err_set_errno",)  # ": No such file or directory" follows
# First words with a capital that are names, and words that are written so everywhere.
NAMES = {"CREDENTIALS_DIRECTORY", "IPv6", "HTTP", "SIGHUP", "Try", "Usage", "Prometheus",
         "Elasticsearch", "Kafka", "Kibana", "OpenSearch", "SSH", "MirrorMaker", "JSON", "TLS", "URL", "U"}
CAPITALS = {"CREDENTIALS_DIRECTORY", "HTTP", "HTTPS", "JSON", "YAML", "RFC", "UTF", "NUL", "TLS",
            "POSIX", "SHA", "PEM", "URL", "URLS", "MiB", "PUT", "POST", "PROMQL", "JMX", "API",
            "NAME", "VAR", "FILE", "CA", "SSH_AUTH_SOCK", "SIGHUP", "AUTH", "STARTTLS", "SSH",
            "JVM", "CLI", "LANG", "JAVA_HOME", "NODATA", "USER", "HOST", "PORT", "ACL", "RSA",
            "MIME", "SMTP", "EHLO", "STATE_DIRECTORY", "NOTIFY_SOCKET", "BEGIN", "TERM", "RECEIVER",
            "DESCRIBE", "HEAD", "TOKEN"}
# Words that blame or tell nothing, and other spellings of the field's terms.
BANNED = [r"\binvalid\b", r"\billegal\b", r"\bfatal\b", r"\boops\b", r"\bplease\b", r"\bsorry\b",
          r"\bunable to\b", r"\bsomething went\b", r"\bMirror Maker\b", r"\belastic search\b",
          r"\bhostname\b", r"\bconfig file\b", r"\bopensearch\b(?!-)",
          r"\bKAFKA\b", r"\bzookeeper\b", r"(?<!\()!(?!=|')"]
INTERNAL = re.compile(r"\b(?:curl_easy|curl_multi|libssh2|sqlite3|json|MHD|yaml|EVP|pthread|mem|buf)"
                      r"_\w+|\w+\(\)|0x%p|%p|__\w+")


def arguments(text, at):
    """The string literals in the parentheses at `at`, those of one argument joined."""
    depth, i, got = 0, at, [[]]
    while True:
        c = text[i]
        if c in "\"'":
            end = i + 1
            while text[end] != c:
                end += 2 if text[end] == "\\" else 1
            if c == '"':
                got[-1].append(text[i + 1:end])
            i = end
        elif c == "(":
            depth += 1
        elif c == ")":
            depth -= 1
            if depth == 0:
                return ["".join(parts) for parts in got if parts]
        elif c == "," and depth == 1:
            got.append([])
        i += 1


def messages():
    for path in sorted(pathlib.Path(ROOT, "collector").rglob("*.c")):
        text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), path.read_text(),
                      flags=re.S)
        for call in CALLS.finditer(text):
            if call[1] == "fprintf" and not re.match(r"\s*stderr", text[call.end():]):
                continue
            got = arguments(text, call.end() - 1)
            if call[1] in ("options_usage", "log_warn", "log_error") and len(got) > 1:
                got = got[1:]  # the command's or the subsystem's name
            place = f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, call.start()) + 1}"
            if got:
                if call[1].startswith("finding") or re.fullmatch(SHORT, call[1]):
                    got = [max(got, key=len)]  # the others are names of keys
                yield place, call[1], got[0].replace('\\"', '"').removesuffix("\\n")


def faults(call, text):
    words = re.findall(r"[A-Za-z][A-Za-z_]*", re.sub(r"%[-+ 0-9.*]*(?:z|l|ll|h)?[a-zA-Z]", "", text))
    first = re.match(r"[A-Za-z_0-9]+", text)
    text = text.removeprefix("\\n")
    if text.endswith(".") and not text.endswith("...") and not text.startswith(("Try", "Usage")):
        yield "ends with a full stop"
    if first and first[0][0].isupper() and first[0] not in NAMES:
        yield f"begins with a capital: {first[0]}"
    for word in words:
        if len(word) > 3 and word.isupper() and word not in CAPITALS:
            yield f"shouts: {word}"
    for pattern in BANNED:
        if re.search(pattern, text):
            yield f"says {pattern}"
    if INTERNAL.search(text):
        yield f"names an internal: {INTERNAL.search(text)[0]}"
    if re.search(r"\b(failed|error|wrong|bad)\b", text) and len(words) < 3 and "%" not in text:
        yield "does not say what"
    if len(words) < 2 and "%" not in text and "\n" not in text and re.search(r"\w", text) \
            and call not in ("err_wrap", *ERRNO) and not re.fullmatch(SHORT, call):
        yield "is one word"
    if "\\n" in text and call != "fprintf" and call != "options_usage":
        yield "has more than one line"


def test_texts_are_found():
    """The collector of texts sees what is there: a rule over nothing would always hold."""
    got = list(messages())
    assert len(got) > 600
    assert {c for _, c, _ in got} >= {"err_set", "err_set_code", "err_set_errno", "err_wrap",
                                      "gap_set", "log_warn", "log_error", "finding_error",
                                      "finding_warn", "options_usage", "fprintf", "reply_error",
                                      "complain", "complain_at", "refuse", "no_good"}


@pytest.mark.parametrize("call,text", [
    ("err_set", "Invalid value"), ("err_set", "the value is invalid"), ("err_set", "failed"),
    ("err_set", "error"), ("err_set", "it ended."), ("err_set", "the host is DOWN"),
    ("err_set", "libssh2_session_handshake says no"), ("err_set", "no Mirror Maker there"),
    ("log_warn", "two\\nlines of it"), ("err_set", "cannot read() it"), ("err_set", "it broke!")])
def test_the_rules_see_a_bad_text(call, text):
    assert list(faults(call, text))


def test_every_text_keeps_the_rules():
    bad = [f"{place}: {fault}: {text}" for place, call, text in messages()
           for fault in faults(call, text)]
    assert not bad, "\n".join(bad)


# --- situations ---

BASE = """state_dir: {dir}/state
http: off
elasticsearch:
  hosts: [http://127.0.0.1:{closed}]
defaults:
  user: kafka
  key_file: {dir}/key
  host: 127.0.0.1
  port: {closed}
  kafka_home: /opt/kafka
  bootstrap_server: b:9092
  group: g
topics:
- name: orders
"""


class Place:
    """A directory with a usable configuration, a secret, and a port that nobody has."""

    def __init__(self, path):
        self.path = path
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.closed = s.getsockname()[1]
        (path / "state").mkdir()
        self.file("key", "no key", 0o600)
        self.file("open.pass", "hunter2", 0o644)
        self.file("empty.pass", "", 0o600)
        self.file("good.pass", "hunter2", 0o600)
        self.file("not.json", "{", 0o644)
        self.config(BASE)

    def file(self, name, text, mode):
        (self.path / name).write_text(text)
        (self.path / name).chmod(mode)

    def fill(self, text):
        return text.replace("{dir}", str(self.path)).replace("{closed}", str(self.closed))

    def config(self, text):
        self.file("mmlag.yaml", self.fill(text), 0o644)

    def run(self, line, stdin=""):
        words = [self.fill(word) for word in line.split()]
        env = {k: v for k, v in os.environ.items() if not k.endswith("_DIRECTORY")}
        run = subprocess.run([MMLAG, *words], input=stdin, capture_output=True, text=True,
                             timeout=60, check=False, env=env, cwd=self.path)
        return run.returncode, run.stdout, run.stderr


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def edit(old, new):
    assert old in BASE
    return BASE.replace(old, new)


# What is in the file → place, what, what to do.
CONFIGS = [
    ("", ["file is empty"]),
    ("topics: [a", ["1:9", "this '[' is never closed"]),
    ("topics:\n\t- name: a\n", ["2:1", "tab"]),
    ("- a\n", ["1:1", "must begin with keys"]),
    ("a: b: c\n", ["1:", "quotation marks"]),
    ("a: 'b\n", ["1:4", "never closed"]),
    ("a: @b\n", ["1:4", "cannot begin with '@'"]),
    ("http: off\nhttp: off\ntopics: [{name: a}]\n", ["2:1", "a second time", "line 1"]),
    (edit("- name: orders", "- nam: orders"), ["14:3", "unknown key \"nam\"", "\"name\""]),
    (edit("topics:\n- name: orders\n", "topics: []\n"), ["name at least one topic"]),
    (edit("- name: orders", "- name: or ders"), ["14:9", "no topic name", "letters, digits"]),
    (edit("- name: orders", "- interval: 5s"), ["14:", "\"name\" is missing"]),
    (edit("- name: orders", "- {match: '('}"), ["14:", "no regular expression"]),
    (edit("  group: g\n", ""), ["group"]),
    (edit("  user: kafka\n", ""), ["user"]),
    (edit("  kafka_home: /opt/kafka\n", ""), ["kafka_home"]),
    (edit("  kafka_home: /opt/kafka", "  kafka_home: opt/kafka"), ["whole path", "from '/' on"]),
    (edit("b:9092", "b"), ["has no port", "b:9092"]),
    (edit("b:9092", "'b:9092, c:9092'"), ["blank", "host:9092,host:9092"]),
    (edit("  host: 127.0.0.1", "  host: u@h"), ["has a user in it", "\"user\""]),
    (edit("  host: 127.0.0.1", "  host: h:22"), ["has a port in it", "\"port\""]),
    (edit("  port: {closed}", "  port: 0"), ["9:", "port", "1"]),
    (edit("  port: {closed}", "  port: 70000"), ["9:", "port", "65535"]),
    (edit("  port: {closed}", "  port: ssh"), ["no whole number"]),
    (edit("- name: orders", "- {name: a, interval: 5}"), ["no unit", "write 5s"]),
    (edit("- name: orders", "- {name: a, interval: 5 apples}"), ["no duration", "500ms, 5s"]),
    (edit("- name: orders", "- {name: a, interval: 1ms}"), ["interval", "1ms"]),
    (edit("http: off\n", "http: off\nspool: {max_bytes: 5}\n"), ["no unit", "5MiB"]),
    (edit("http: off\n", "http: off\nspool: {max_bytes: 5MB}\n"), ["powers of two", "5MiB"]),
    (edit("http: off\n", "http: off\nlog: {level: loud}\n"), ["\"loud\" is not known", "debug"]),
    (edit("http: off\n", "http: off\nlog: {level: inof}\n"), ["did you mean \"info\""]),
    (edit("http://127", "ftp://127"), ["4:", "only http:// and https://"]),
    (edit("http://127.0.0.1:{closed}", "es1:9200"), ["no URL", "https://es1:9200"]),
    (edit("http://127", "http://u:hunter2@127"), ["no user and password", "password_file"]),
    (edit("{closed}]", "99999]"), ["no port (1 to 65535)"]),
    (edit("elasticsearch:\n", "elasticsearch:\n  index: Lag\n"), ["lower case"]),
    (edit("elasticsearch:\n", "elasticsearch:\n  index: lag-{now}\n"), ["{yyyy.MM}"]),
    (edit("elasticsearch:\n", "elasticsearch:\n  username: u\n"), ["needs \"password_file\""]),
    (edit("elasticsearch:\n", "elasticsearch:\n  password: hunter2\n"), ["password", "password_file"]),
    (edit("  group: g", "  agent: yes"), ["neither true nor false", "true"]),
    (edit("elasticsearch:\n", "elasticsearch:\n  username: u\n  password_file: {dir}/open.pass\n"),
     ["5:", "mode 0644", "chmod 600"]),
    (edit("elasticsearch:\n", "elasticsearch:\n  username: u\n  password_file: {dir}/empty.pass\n"),
     ["5:", "empty"]),
    (edit("elasticsearch:\n", "elasticsearch:\n  username: u\n  password_file: {dir}/no.pass\n"),
     ["5:", "no.pass", "No such file"]),
    (edit("elasticsearch:\n", "elasticsearch:\n  username: u\n  password_file: {dir}\n"),
     ["not a regular file"]),
    (edit("elasticsearch:\n", "elasticsearch:\n  username: u\n  password_file: credential:es\n"),
     ["CREDENTIALS_DIRECTORY is not set", "LoadCredential="]),
    (edit("{dir}/key", "~/key"), ["whole path", "~"]),
    (edit("{dir}/key", "{dir}/nokey"), ["7:", "nokey", "No such file"]),
    (edit("  group: g", "  group: ${NO_SUCH}"), ["NO_SUCH is not set", "${NO_SUCH:default}"]),
    (edit("  group: g", "  group: ${NO"), ["without \"}\"", "$$"]),
    (edit("http: off\n", "http: {listen: '0.0.0.0:9308'}\n"), ["reached from elsewhere", "token_file"]),
    (edit("http: off\n", "http: {listen: here}\n"), ["no address to listen on", "127.0.0.1:9308"]),
    (edit("http: off\n", "http: off\nbrokers: [{name: a}]\n"), ["\"prometheus\" is missing"]),
    (edit("http: off\n", "http: off\nreceivers: [{name: a, type: pager}]\n"),
     ["not known", "pagerduty"]),
    (edit("http: off\n", "http: off\nreceivers: [{name: a, type: slack}]\n"),
     ["receiver \"a\"", "url_file"]),
    (edit("http: off\n", "http: off\nalerts: {quiet: [{from: '9 pm', to: '06:00'}]}\n"),
     ["no time of day", "22:00"]),
    (edit("http: off\n", "http: off\nalerts: {quiet: [{from: '21:00', to: '06:00', "
          "timezone: Mars/Base}]}\n"), ["Mars/Base", "time zone"]),
    ("topics: [\x00]\n", ["NUL byte", "UTF-8"]),
]

# A command line; a usable configuration, the code, what it says.
LINES = [
    ("", 64, ["Usage"]),
    ("fly", 64, ["'fly' is no command"]),
    ("check --loud", 64, ["unknown option '--loud'", "--help"]),
    ("check -c", 64, ["'-c' needs a value"]),
    ("check now", 64, ["'now' is one argument too many"]),
    ("check --offline --fix-mapping", 64, ["leave --offline out"]),
    ("check -c {dir}/none.yaml", 78, ["none.yaml", "No such file"]),
    ("check -c {dir}", 78, ["{dir}", "directory"]),
    ("run -c {dir}/none.yaml", 78, ["none.yaml", "No such file"]),
    ("once -c {dir}/none.yaml", 78, ["none.yaml", "No such file"]),
    ("check -c mmlag.yaml", 1, ["127.0.0.1:{closed}", "refused"]),
    ("once -c mmlag.yaml", 1, ["127.0.0.1"]),
    ("tail -c mmlag.yaml", 1, ["{dir}/state/control.sock", "'mmlag run'", "--url"]),
    ("tail --url here", 64, ["'here' is no URL", "write http://here"]),
    ("tail --url http://127.0.0.1:{closed}", 1, ["127.0.0.1:{closed}", "refused"]),
    ("top -c mmlag.yaml", 1, ["needs a terminal", "mmlag tail"]),
    ("spool -c mmlag.yaml", 64, ["status, list, dead"]),
    ("spool eat -c mmlag.yaml", 64, ["status, list, dead"]),
    ("spool status more -c mmlag.yaml", 64, ["'more' is one argument too many"]),
    ("spool retry -c mmlag.yaml", 64, ["ids", "--all"]),
    ("spool retry x -c mmlag.yaml", 64, ["'x' is no id"]),
    ("spool list --limit many -c mmlag.yaml", 64, ["--limit", "number of rows"]),
    ("spool retry --waiting --all -c mmlag.yaml", 64, ["--waiting goes with drop"]),
    ("spool import -c mmlag.yaml", 64, ["one file"]),
    ("spool import not.json -c mmlag.yaml", 1, ["not.json"]),
    ("notify -c mmlag.yaml", 64, ["say what: mmlag notify test"]),
    ("notify test a b -c mmlag.yaml", 64, ["one receiver at most"]),
    ("notify test -c mmlag.yaml", 1, ["no receivers in mmlag.yaml", "add \"receivers:\""]),
    ("init", 64, ["--host", "--bootstrap", "needed"]),
    ("init --host 127.0.0.1 --port {closed} --user u --key key --kafka-home /k --bootstrap b:1", 1,
     ["127.0.0.1", "refused"]),
    ("init --host 127.0.0.1 --user u --key nokey --kafka-home /k --bootstrap b:1", 1,
     ["nokey", "No such file"]),
    ("init --host h --user u --key key --kafka-home k --bootstrap b:1", 64, ["whole path"]),
    ("init --host h --user u --key key --kafka-home /k --bootstrap b", 64, ["b:9092"]),
    ("decode --format xml", 64, ["--format is table or line", "'xml'"]),
    ("decode --format line", 64, ["exactly one --topic"]),
    ("decode --at noon", 64, ["RFC 3339", "2026-"]),
    ("decode --exit-code x", 64, ["0 to 255"]),
    ("decode --stderr none", 64, ["none", "No such file"]),
    ("decode --topic a/b", 64, ["'a/b' is no topic name"]),
    ("decode extra", 64, ["'extra'", "stdin"]),
    ("decode --topic", 64, ["'--topic' needs a value", "decode --help"]),
    ("decode --loud", 64, ["unknown option '--loud'", "decode --help"]),
    ("export -c mmlag.yaml", 64, ["say what: kibana", "--help"]),
    ("export cake -c mmlag.yaml", 64, ["'cake'"]),
    ("export kibana --kind plain -c mmlag.yaml", 64, ["--kind goes with template, not with kibana"]),
    ("export opensearch-dashboards --lens -c mmlag.yaml", 64, ["--lens goes with kibana"]),
    ("export config --threshold 5 -c mmlag.yaml", 64, ["--threshold goes with", "not with config"]),
    ("export template --partitions 5 -c mmlag.yaml", 64, ["--partitions goes with"]),
    ("export kibana-rules --dir d -c mmlag.yaml", 64, ["--dir goes with grafana"]),
    ("export template --reference", 64, ["--reference goes with schema"]),
    ("export grafana --board lag --dir d -c mmlag.yaml", 64, ["--dir writes all boards"]),
    ("export grafana --prometheus http://p -c mmlag.yaml", 64, ["--prometheus goes with --dir"]),
    ("export kibana --partitions 0 -c mmlag.yaml", 64, ["--partitions is 1 to", "'0'"]),
    ("export grafana --board all -c mmlag.yaml", 64, ["lag, prometheus or brokers", "'all'"]),
    ("export template --retention 5 -c mmlag.yaml", 64, ["--retention", "5s"]),
    ("export template --kind tree -c mmlag.yaml", 64, ["plain, alias or data-stream", "'tree'"]),
    ("export grafana --dir /proc/none -c mmlag.yaml", 1, ["/proc/none", "No such file"]),
    ("import -c mmlag.yaml", 64, ["kibana or opensearch-dashboards"]),
    ("import kibana -c mmlag.yaml", 64, ["--url", "http://"]),
    ("import kibana --url http://127.0.0.1:{closed} -c mmlag.yaml", 1,
     ["127.0.0.1:{closed}", "refused"]),
    ("import kibana --url http://h --tenant t -c mmlag.yaml", 64, ["opensearch-dashboards"]),
    ("import kibana --url http://h --token-file none -c mmlag.yaml", 1, ["none", "No such file"]),
    ("import kibana --url http://h --token-file open.pass -c mmlag.yaml", 1,
     ["open.pass", "chmod 600"]),
    ("brokers", 64, ["--prometheus is needed"]),
    ("brokers --prometheus p", 64, ["'p' is no URL", "http://p"]),
    ("brokers --prometheus http://127.0.0.1:{closed}", 69, ["127.0.0.1:{closed}", "refused"]),
    ("brokers --prometheus http://h --range 5", 64, ["--range", "5s"]),
    ("brokers --prometheus http://h --by rack", 64, ["'rack'", "instance, topic"]),
    ("brokers --prometheus http://h --end 5", 64, ["--end goes with --start"]),
    ("watch", 64, ["--exporter and --group are needed"]),
    ("watch --exporter e --group g", 64, ["'e' is no URL", "http://e"]),
    ("watch --exporter http://127.0.0.1:{closed} --group g --count 1", 69,
     ["127.0.0.1:{closed}", "refused"]),
    ("watch --exporter http://h --group g --interval 5", 64, ["--interval", "5s"]),
    ("report more", 64, ["'more' is one argument too many"]),
]


def check_lines(text):
    """What holds for each line that a person reads."""
    for line in text.splitlines():
        said = re.sub(r"^(mmlag(?: [a-z]+)?|\S+:\d+:\d+): ((error|warning): )?", "", line)
        if not line.startswith((" ", "Usage", "Try", "'mmlag ", "is ", "Is ", "Exit", "Follows")):
            assert not [f for f in faults("err_set", said) if "shouts" not in f], line


@pytest.mark.parametrize("text,words", CONFIGS, ids=[w[-1][:40] for _, w in CONFIGS])
def test_a_wrong_configuration_is_told_with_its_place(place, text, words):
    place.config(text)
    code, out, err = place.run("check --offline -c mmlag.yaml")
    assert code == 78, (out, err)
    assert not [w for w in words if w not in out + err], (out, err)
    for line in err.splitlines():
        assert re.match(r"mmlag\.yaml:(\d+:\d+: )?(error|warning): |mmlag\.yaml: ", line), line
    check_lines(err)
    assert "hunter2" not in out + err


@pytest.mark.parametrize("line,code,words", LINES, ids=[line for line, _, _ in LINES])
def test_a_command_that_cannot_do_it_tells_why(place, line, code, words):
    got, out, err = place.run(line)
    assert got == code, (out, err)
    assert not [w for w in words if place.fill(w) not in out + err], (out, err)
    check_lines(err)
    assert "hunter2" not in out + err


def test_there_are_a_hundred_situations():
    assert len(CONFIGS) + len(LINES) >= 100
