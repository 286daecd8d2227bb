# SPDX-License-Identifier: MIT
"""Who we are, whom we believe, and how little is enough: on an Elasticsearch with security
and TLS, with users and keys that are made for the test."""

import base64
import hashlib
import json
import os
import ssl
import urllib.error
import urllib.request

import pytest

from conftest import Search, wait_for
from delivery import Cases, Delivery, run_apart
from peer import Peer
from test_delivery import certificate

pytestmark = pytest.mark.beside

case = Cases()


class Secure(Search):
    """The same API with the bootstrap user's password, over TLS."""

    def __init__(self, lab):
        super().__init__(lab.es8sec_url)
        self.context = ssl.create_default_context(cafile=lab.es8sec_ca)
        pair = f"{lab.es8sec_user}:{lab.es8sec_password}"
        self.header = "Basic " + base64.b64encode(pair.encode()).decode()

    def __call__(self, method, path, body=None, ok=(200, 201)):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, method=method,
            headers={"Content-Type": "application/json", "Authorization": self.header})
        try:
            with urllib.request.urlopen(request, timeout=30, context=self.context) as answer:
                text, status = answer.read(), answer.status
        except urllib.error.HTTPError as refusal:
            text, status = refusal.read(), refusal.code
        assert status in ok, f"{method} {path}: {status} {text[:300]}"
        return json.loads(text) if text else {}

    def role(self, name, index, privileges):
        """A user of that name who may do just this."""
        self("PUT", f"/_security/role/{name}", {
            "indices": [{"names": [index], "privileges": privileges}]})
        self("PUT", f"/_security/user/{name}", {"password": "a-long-password", "roles": [name]})


def secret(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
    return str(path)


def ship(path, lab, elastic, *, index=None, prepare=None):
    """Ship everything with these settings; returns the log."""
    search = Secure(lab)
    index = index or "mmlag-" + path.name.replace("_", "-")[:60]
    search.drop(index)
    if prepare:
        prepare(search, index)
    d = Delivery(path, lab, [lab.es8sec_url], lambda: search.documents(index), index=index,
                 elastic=elastic if "ca_fingerprint" in elastic
                 else {"ca_file": lab.es8sec_ca, **elastic})
    try:
        d.start().arrived().settle()
        return d.log()
    finally:
        d.close()
        search.drop(index)


def basic(path, lab, name=None):
    return {"username": name or lab.es8sec_user,
            "password_file": secret(path / "password",
                                    "a-long-password" if name else lab.es8sec_password)}


@case
def a_password_and_the_authority_in_a_file(path, lab):
    ship(path, lab, basic(path, lab))


@case
def the_authority_known_by_its_fingerprint(path, lab):
    with open(lab.es8sec_ca, encoding="ascii") as f:
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()
    ship(path, lab, {**basic(path, lab), "ca_fingerprint": digest})


@case
def an_authority_that_is_not_known_is_told_nothing(path, lab):
    search = Secure(lab)
    d = Delivery(path, lab, [lab.es8sec_url], lambda: [], index="mmlag-not-believed",
                 elastic=basic(path, lab))
    try:
        d.start().logged("name the authority that signed it")
        assert d.stop() == 0
        assert d.spool("q") and search.count("mmlag-not-believed") == 0
    finally:
        d.close()


@case
def an_api_key_in_its_spellings(path, lab):
    key = Secure(lab)("POST", "/_security/api_key", {"name": "mmlag"})
    for n, text in enumerate((f"{key['id']}:{key['api_key']}", key["encoded"] + "\n")):
        ship(path / str(n), lab, {"api_key_file": secret(path / f"key{n}", text)},
             index=f"mmlag-api-key-{n}")
    peer = Peer()  # that of a cloud goes as it is, which no server here knows
    d = Delivery(path / "cloud", lab, [peer.url], peer.sources,
                 elastic={"api_key_file": secret(path / "key-cloud", "essu_AbC==")})
    seen = set()
    peer.mood = lambda x, then=peer.mood: (seen.add(x.headers.get("authorization")), then(x))
    try:
        d.start().arrived().settle()
    finally:
        d.close()
    assert seen == {"ApiKey essu_AbC=="}


@case
def the_least_that_is_enough_where_the_index_stands(path, lab):
    def prepare(search, index):
        search.role("least", index, ["create_doc", "view_index_metadata"])
        with open(os.path.join(os.path.dirname(__file__), "../../mappings/mapping.json"),
                  encoding="utf-8") as f:
            search("PUT", f"/{index}", json.load(f))
    log = ship(path, lab, basic(path, lab, "least"), prepare=prepare)
    assert "create_index on" in log and "auto_configure on" in log  # said, and gone on


@case
def what_creates_the_index_too(path, lab):
    log = ship(path, lab, basic(path, lab, "creates"), prepare=lambda search, index: search.role(
        "creates", index, ["create_doc", "view_index_metadata", "create_index",
                           "auto_configure"]))
    assert "is missing" not in log


@case.slow
def without_a_privilege_documents_wait_until_it_is_granted(path, lab):
    search, index = Secure(lab), "mmlag-granted"
    search.drop(index)
    search.role("reader", index, ["read", "view_index_metadata", "create_index"])
    d = Delivery(path, lab, [lab.es8sec_url], lambda: search.documents(index), index=index,
                 elastic={"ca_file": lab.es8sec_ca, **basic(path, lab, "reader")})
    try:
        d.start().logged("create_doc on mmlag-granted is missing")
        d.logged("grant create_doc")
        search.role("reader", index, ["create_doc", "view_index_metadata", "create_index"])
        d.arrived(90).settle()
    finally:
        d.close()
        search.drop(index)


@case.slow
def a_password_is_wrong_and_then_right(path, lab):
    search, index = Secure(lab), "mmlag-password"
    search.drop(index)
    settings = basic(path, lab)
    secret(path / "password", "not-this-one")
    d = Delivery(path, lab, [lab.es8sec_url], lambda: search.documents(index), index=index,
                 elastic={"ca_file": lab.es8sec_ca, **settings})
    try:
        d.start().logged("check username and password_file")
        secret(path / "password", lab.es8sec_password)
        d.arrived(90).settle()
        assert lab.es8sec_password not in d.log() and "not-this-one" not in d.log()
    finally:
        d.close()
        search.drop(index)


@case
def a_certificate_of_our_own_is_shown_where_it_is_asked_for(path, lab):
    path.mkdir(parents=True)
    context = certificate(path, "node", 9)
    certificate(path, "client", 9)
    os.chmod(path / "client.key", 0o600)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(path / "ca.crt")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for shown in (True, False):
        peer = Peer(tls=context)
        elastic = {"ca_file": str(path / "ca.crt")}
        if shown:
            elastic.update(client_cert_file=str(path / "client.crt"),
                           client_key_file=str(path / "client.key"))
        d = Delivery(path / str(shown), lab, [peer.url], peer.sources, elastic=elastic)
        try:
            d.start()
            if shown:
                d.arrived().settle()
            else:
                d.logged("client_cert_file")
                assert peer.bulks == 0
        finally:
            d.close()


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory, lab, request):
    wanted = {i.callspec.params["name"] for i in request.session.items
              if i.function is test_delivery_is_safe}
    was_up = lab.component_is_up("es8sec")
    if not was_up:
        lab("up", "es8sec", env=dict(os.environ, MMLAG_LAB_TLS="1"))
        lab.env.update(type(lab)().env)  # its password, and that it speaks TLS
    try:
        # The index of users is made by the first of them, and for that moment nobody at
        # all is let in: not while the cases run side by side.
        Secure(lab).role("first", "mmlag-first", ["read"])
        wait_for("the index of users", 30, lambda: Secure(lab)(
            "GET", "/_security/_authenticate", ok=(200, 401)).get("username"))
        yield run_apart({n: f for n, f in case.items() if n in wanted},
                        tmp_path_factory.mktemp("secure"), lab, len(case))
    finally:
        if not was_up:
            lab("down", "es8sec")


@pytest.mark.parametrize("name", list(case))
def test_delivery_is_safe(outcomes, name):
    if outcomes[name] is not None:
        raise outcomes[name]
